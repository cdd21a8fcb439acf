"""The published Osprey layout, to our modules.

The vision tower is part of the main files, but the library they were written with loses its layer
scales (``gamma``) when loading, so that those count that the authors' code reads from a separate
file of CLIP weights. Here the main files count; what they lack comes from the CLIP file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch

from adapters.checkpoint import Checkpoint, check_tensors, put_weights, renamed
from adapters.checkpoint_files import find_file
from adapters.interface import CheckpointError
from adapters.language import restore_buffers
from adapters.llama_tokenizer import LlamaTokenizer, load_fast_tokenizer
from adapters.osprey.configuration import CLIP_FILE, CLIP_HUB_ID, OspreyConfig
from adapters.osprey.modeling import OspreyModel
from adapters.osprey.prompting import MASK, POSITION
from adapters.random_weights import random_weights
from adapters.tensor_files import TensorInfo, read_shapes, read_tensors

Value = TypeVar("Value")

TOWER = "model.vision_tower.vision_tower."  # before the CLIP file's own names
_TRUNK = f"{TOWER}visual.trunk."
_STEM = {"patch_embeddings": "stem.0", "layernorm": "stem.1"}
_BLOCK = {
    "dwconv": "conv_dw",
    "layernorm": "norm",
    "pwconv1": "mlp.fc1",
    "pwconv2": "mlp.fc2",
    "layer_scale_parameter": "gamma",
}
_EXTRACTOR = {
    **{f"levels.{i}": f"res{i + 2}" for i in range(4)},
    "region": "feat_linear",
    **{f"position.{2 * i}": f"mask_linear.layers.{i}" for i in range(3)},
}
# Buffers that are computed, the tower's unused head, and CLIP's text tower.
_UNUSED = re.compile(
    r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq"
    rf"|{re.escape(TOWER)}(?:visual\.(?:trunk\.)?head\.|(?!visual\.)).*"
)


def official_name(name: str) -> str:
    """Official name of one of our parameters."""
    part, _, rest = name.partition(".")
    if part == "language_model":
        return rest
    if part == "mm_projector":
        return f"model.{name}"
    if part == "mask_extractor":
        return f"mask_extractor.{renamed(rest, _EXTRACTOR)}"
    if rest.startswith("embeddings."):
        return _TRUNK + renamed(rest.removeprefix("embeddings."), _STEM)
    _, stage, kind, index, inner = rest.split(".", 4)
    if kind == "downsampling_layer":
        return f"{_TRUNK}stages.{stage}.downsample.{index}.{inner}"
    return f"{_TRUNK}stages.{stage}.blocks.{index}.{renamed(inner, _BLOCK)}"


def expected_shapes(config: OspreyConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors the model uses, by official name."""
    with torch.device("meta"):
        return _official_shapes(OspreyModel(config))


def _official_shapes(model: OspreyModel) -> dict[str, tuple[int, ...]]:
    return {official_name(name): tuple(t.shape) for name, t in model.state_dict().items()}


def with_vision_tower(
    checkpoint: Checkpoint, config: OspreyConfig, given: str | None
) -> Checkpoint:
    """The checkpoint with the file of CLIP weights as ``extra``, if its own files lack any.

    Args:
        checkpoint: the main files.
        config: its sizes.
        given: the CLIP file, a folder that holds it, or a Hub id; ``None`` looks beside the
            checkpoint, where its configuration says, and where the authors take it from.

    Raises:
        CheckpointError: the CLIP file given does not exist, or one is needed and missing, or a
            main file is damaged.
    """
    file = None if given is None else find_file(given, CLIP_FILE)
    tower = {name for name in expected_shapes(config) if name.startswith(TOWER)}
    missing = tower - checkpoint.shapes().keys()
    if not missing:
        return checkpoint
    file = file or _find_tower(checkpoint, config, missing)
    return replace(checkpoint, extra=(file,))


def _find_tower(checkpoint: Checkpoint, config: OspreyConfig, missing: Collection[str]) -> Path:
    named = config.vision_tower_file
    for path in (checkpoint.folder / named, Path(config.vision_tower)):
        if path.is_file():
            return path
    try:
        return find_file(CLIP_HUB_ID, CLIP_FILE)
    except CheckpointError as error:
        raise CheckpointError(
            f"{checkpoint.name}: {len(missing)} tensors of the vision tower, such as "
            f"{min(missing)}, are not in its weight files, and the file of CLIP weights they come "
            f"from is not beside them as {named}; give it as the setting vision_tower ({error})"
        ) from error


def used_shapes(checkpoint: Checkpoint) -> dict[str, TensorInfo]:
    """Shapes of a checkpoint's tensors by official name, those the model never uses left out.

    Raises:
        CheckpointError: a file is damaged.
    """
    return _together(checkpoint.shapes(), read_shapes(checkpoint.name, checkpoint.extra))


def _together(main: Mapping[str, Value], clip: Mapping[str, Value]) -> dict[str, Value]:
    """The main files' tensors, and those of the CLIP file that the main files lack."""
    named = {f"{TOWER}{name}": value for name, value in clip.items()}
    return {name: v for name, v in {**named, **main}.items() if not _UNUSED.fullmatch(name)}


def load_model(
    checkpoint: Checkpoint, config: OspreyConfig, device: torch.device, dtype: torch.dtype
) -> OspreyModel:
    """Build the model and put the checkpoint's weights into it, ready for inference.

    Raises:
        CheckpointError: the weights are not an Osprey's.
    """
    with torch.device("meta"):
        model = OspreyModel(config)
    names = {name: official_name(name) for name in model.state_dict()}
    tensors = _together(checkpoint.tensors(), read_tensors(checkpoint.name, checkpoint.extra))
    check_tensors(checkpoint.name, tensors, _official_shapes(model))
    if device.type != "meta":
        state = {name: tensors.pop(official) for name, official in names.items()}
        put_weights(model, state, device, dtype)
        restore_buffers(model.language_model)
    return _extracting_in_float32(model)


def random_model(
    config: OspreyConfig, seed: int, device: torch.device, dtype: torch.dtype
) -> OspreyModel:
    """A model with random weights, the same on every device for the same seed."""
    return _extracting_in_float32(random_weights(lambda: OspreyModel(config), seed, device, dtype))


def _extracting_in_float32(model: OspreyModel) -> OspreyModel:
    model.mask_extractor.float()
    return model.eval()


def load_tokenizer(folder: Path) -> LlamaTokenizer:
    """The checkpoint's tokenizer, with the tokens that stand for a region.

    Raises:
        CheckpointError: there is none, or it is not a Llama tokenizer.
    """
    return load_fast_tokenizer(folder, (MASK, POSITION))
