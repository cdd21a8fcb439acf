"""A checkpoint's own processor, for pictures only.

Processors that also read videos need torchvision for that alone, and often choose another
arithmetic for pictures when it is installed. Here the video part is left out and pictures are
prepared by Pillow, so that a checkpoint loads without torchvision and answers alike with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import (
    PROCESSOR_MAPPING,
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoTokenizer,
    ProcessorMixin,
)
from transformers.models.auto.processing_auto import processor_class_from_name

from adapters.checkpoint import read_json
from adapters.interface import CheckpointError

_NAMING_FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
_LOCAL = {"local_files_only": True, "trust_remote_code": False}
_SAID = 300  # characters of a library's complaint; some list every model there is


def load_processor(name: str, folder: Path, config: Any) -> ProcessorMixin:
    """Load the processor that prepares pictures and text for a model.

    Args:
        name: the checkpoint's name, for messages.
        folder: the checkpoint.
        config: the model's configuration, a ``PreTrainedConfig``.

    Raises:
        CheckpointError: the processor is missing or damaged, needs a package that is not
            installed, or has parts other than tokenizer, image and video processor.
    """
    processor_class = _processor_class(folder, config)
    if processor_class is None:
        raise CheckpointError(
            f"{name}: transformers knows no processor for model_type {config.model_type!r} and "
            "the checkpoint names none; write a worker for it (docs/external_models.md)"
        )
    try:
        processor = _build(processor_class, folder)
    except Exception as error:  # every processor checks its parts in its own way
        raise CheckpointError(_refusal(name, processor_class.__name__, error)) from error
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def _processor_class(folder: Path, config: Any) -> Any:
    for file in (folder / name for name in _NAMING_FILES):
        named = read_json(file).get("processor_class") if file.is_file() else None
        known = processor_class_from_name(named) if named else None
        if known is not None:
            return known
    return PROCESSOR_MAPPING.get(type(config), None)


def _build(processor_class: Any, folder: Path) -> ProcessorMixin:
    values, _ = processor_class.get_processor_dict(str(folder), local_files_only=True)
    parts = [_part(name, folder) for name in processor_class.get_attributes()]
    return _for_pictures(processor_class).from_args_and_dict(parts, values)


def _part(name: str, folder: Path) -> Any:
    match name:
        case "tokenizer":
            return AutoTokenizer.from_pretrained(folder, **_LOCAL)
        case "image_processor":
            return AutoImageProcessor.from_pretrained(folder, backend="pil", **_LOCAL)
        case "feature_extractor":
            return AutoFeatureExtractor.from_pretrained(folder, **_LOCAL)
        case "video_processor":
            return None
        case _:
            raise ValueError(f"it needs a {name}, which this adapter does not load")


def _for_pictures(processor_class: Any) -> Any:
    """The same class, content to have no video processor."""

    def check(self: Any, name: str, part: Any) -> Any:
        if name == "video_processor":
            return type(None)
        return processor_class.check_argument_for_proper_class(self, name, part)

    overridden = {"check_argument_for_proper_class": check}
    return type(processor_class.__name__, (processor_class,), overridden)


def _refusal(name: str, processor: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "torchvision" in said.lower():
        return (
            f"{name}: the processor {processor} needs torchvision, which regionbench does not "
            "bring. Install the build that belongs to your PyTorch; where there is none, run the "
            "model in an environment of its own through a worker (docs/external_models.md)"
        )
    short = said if len(said) <= _SAID else f"{said[:_SAID]} …"
    return f"{name}: the processor {processor} cannot be loaded: {short}"
