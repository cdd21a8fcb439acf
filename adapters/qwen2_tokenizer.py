"""The tokenizer that comes with a Qwen2-based checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transformers import AutoTokenizer, Qwen2Config

from adapters.interface import CheckpointError, CheckpointMissing

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_qwen2_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The checkpoint's tokenizer; its remote code is never run.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        raise CheckpointMissing(
            f"{folder.name}: no tokenizer in the checkpoint; expected vocab.json and merges.txt "
            "(or tokenizer.json) beside the weights"
        )
    try:
        # Its own config.json names a model type that only remote code knows.
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, config=Qwen2Config(), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # the tokenizers library raises bare exceptions on damaged files
        raise CheckpointError(f"{folder.name}: the tokenizer is damaged: {error}") from error
    return tokenizer
