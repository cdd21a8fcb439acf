"""What the checkpoint's ``generation_config.json`` says of decoding, without its sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.checkpoint import read_json
from adapters.interface import CheckpointError

FILE = "generation_config.json"


@dataclass(frozen=True, slots=True)
class GenerationDefaults:
    """When the checkpoint's answers end, and how much less likely tokens already said become.

    The authors pass neither to ``generate``, so the file decides. It also asks for sampling, at
    a temperature of 0.1 in their examples: here decoding is always greedy.
    """

    stop_ids: tuple[int, ...]
    repetition_penalty: float = 1.0

    @classmethod
    def read(cls, folder: Path, config: Mapping[str, Any]) -> GenerationDefaults:
        """Read a checkpoint's file, or ``config.json`` where there is none.

        Args:
            folder: the checkpoint's.
            config: its ``config.json``.

        Raises:
            CheckpointError: a value cannot be used.
        """
        raw = read_json(folder / FILE) if (folder / FILE).is_file() else config
        stop = raw.get("eos_token_id", config.get("eos_token_id"))
        stop_ids = stop if isinstance(stop, list) else [stop]
        if not stop_ids or not all(type(i) is int for i in stop_ids):
            raise CheckpointError(
                f"{folder.name}: eos_token_id is {stop!r} in {FILE} or config.json, expected the "
                "ids of the tokens that end an answer"
            )
        penalty = raw.get("repetition_penalty", 1.0)
        if isinstance(penalty, bool) or not isinstance(penalty, int | float) or not penalty > 0:
            raise CheckpointError(
                f"{folder.name}: repetition_penalty is {penalty!r} in {FILE}, expected a number "
                "above 0"
            )
        return cls(tuple(stop_ids), float(penalty))
