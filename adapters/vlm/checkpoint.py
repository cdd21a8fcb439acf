"""A folder as ``save_pretrained`` writes it: which model it is, its weights, its digest."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoConfig,
    AutoModelForImageTextToText,
    PreTrainedModel,
)
from transformers.utils import logging

from adapters.checkpoint import Checkpoint, check_tensors, read_json
from adapters.checkpoint_files import weight_files
from adapters.interface import CheckpointError, suggestion
from adapters.registry import adapter_for
from adapters.tensor_files import TensorInfo

# Beside configuration, tokenizer and weights; a checkpoint has some of them.
# transformers decides which of these it reads; whatever it is, answers depend on it.
_HASHED = (".bin", ".jinja", ".json", ".model", ".safetensors", ".txt")
_WORKER = "write a worker for it (docs/external_models.md)"


def read_config(name: str, folder: Path) -> Any:
    """The model's configuration, a ``PreTrainedConfig``.

    Args:
        name: the checkpoint's name, for messages.
        folder: the checkpoint.

    Raises:
        CheckpointError: the model is unknown to transformers, is not one that answers questions
            about pictures, or has an adapter of its own.
    """
    raw = read_json(folder / "config.json")
    model_type = str(raw.get("model_type"))
    told = f"{name}: config.json: model_type is {model_type!r}"
    own = adapter_for(model_type)
    if own is not None:
        raise CheckpointError(f"{told}; that is a checkpoint for the adapter {own!r}")
    if model_type not in CONFIG_MAPPING:
        remote = "; the code it comes with is never run" if "auto_map" in raw else ""
        raise CheckpointError(
            f"{told}, which transformers does not know{suggestion(model_type, CONFIG_MAPPING)}"
            f"{remote}; {_WORKER}"
        )
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # configurations check their fields each in their own way
        raise CheckpointError(
            f"{name}: config.json does not describe a {model_type}: {error}"
        ) from error
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise CheckpointError(f"{told}, which is no image-text-to-text model as 'vlm' needs")
    if config.is_encoder_decoder or config.get_text_config().is_encoder_decoder:
        raise CheckpointError(
            f"{told}, an encoder-decoder, whose answer does not continue its prompt; {_WORKER}"
        )
    return config


def find_files(name: str, folder: Path) -> Checkpoint:
    """The checkpoint's files; its digest covers all that its answers depend on.

    Raises:
        CheckpointError: there are no weights in an accepted format.
    """
    extra = (path for path in folder.iterdir() if path.suffix in _HASHED)
    return Checkpoint(name, folder, weight_files(folder, name), tuple(extra))


def load_model(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> PreTrainedModel:
    """Load the network, ready for inference.

    Tensors that the network has no place for are left out, as transformers does.

    Raises:
        CheckpointError: the weights are damaged, or not all there.
    """
    try:
        model, told = AutoModelForImageTextToText.from_pretrained(
            checkpoint.folder,
            dtype=dtype,
            use_safetensors=checkpoint.weights[0].suffix == ".safetensors",
            weights_only=True,
            trust_remote_code=False,
            local_files_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{checkpoint.name}: the weights cannot be loaded ({error}); copy them again"
        ) from error
    _check(checkpoint.name, told)
    return model.to(device).eval()


def _check(name: str, told: Mapping[str, Any]) -> None:
    """Refuse what transformers would fill with random numbers."""
    misshapen = {key: (tuple(found), expected) for key, found, expected in told["mismatched_keys"]}
    missing = told["missing_keys"] - misshapen.keys()
    if missing or misshapen:
        nothing = TensorInfo((), None)
        found = {key: TensorInfo(shape, None) for key, (shape, _) in misshapen.items()}
        expected = {key: shape for key, (_, shape) in misshapen.items()}
        check_tensors(
            name,
            found | dict.fromkeys(told["unexpected_keys"], nothing),
            expected | dict.fromkeys(missing, ()),
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' advice and progress; what matters is raised as an error."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
