"""The published PAM layout, to and from :class:`PamModel`.

A folder of its own inside the Hub repository holds Qwen2's fields and weights, PAM's parts beside
the decoder under ``model.``, and usually a copy of SAM 2; see :mod:`adapters.pam.tower`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from adapters.checkpoint import (
    Checkpoint,
    check_model_type,
    check_tensors,
    put_weights,
    read_json,
)
from adapters.checkpoint_files import find_folder, weight_files
from adapters.interface import CheckpointError
from adapters.language import restore_buffers
from adapters.pam.configuration import PamConfig, refuse_other_models
from adapters.pam.generation import FILE as GENERATION_FILE
from adapters.pam.generation import GenerationDefaults
from adapters.pam.modeling import PamModel
from adapters.pam.tower import INSIDE, Tower, find_tower
from adapters.pam.tower_names import Naming, from_named, layer_name, to_named
from adapters.qwen2_tokenizer import load_qwen2_tokenizer
from adapters.random_weights import random_weights

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Value = TypeVar("Value")

_TOWER = "vision_tower.sam2."
_PERCEIVER = "vision_resampler.transformer."
_POSITIONS = "vision_resampler.positional_embedding"
_EMBEDDING = "language_model.model.embed_tokens.weight"
_HEAD = "language_model.lm_head.weight"
_VIDEO_ONLY = ("model.frame_newline", "model.vision_resampler.proj.")


@dataclass(frozen=True, slots=True)
class Parts:
    """A PAM checkpoint as its files describe it; no weights are read.

    ``checkpoint`` counts the vision tower's file and ``generation_config.json`` among its extras.
    """

    checkpoint: Checkpoint
    config: PamConfig
    tokenizer: PreTrainedTokenizerBase
    generation: GenerationDefaults
    tower: Tower


def find_parts(source: str | Path, revision: str | None, vision_tower: str) -> Parts:
    """Locate a checkpoint and read everything but its weights.

    Args:
        source: the folder, the one around it, or a Hub id.
        revision: of a Hub id.
        vision_tower: the setting; empty to choose.

    Raises:
        CheckpointError: a part is missing, damaged, or another model's.
    """
    name, folder = find_inner(source, revision)
    raw = read_config(name, folder)
    found = Checkpoint(name, folder, weight_files(folder, name))
    tokenizer = load_tokenizer(folder, raw)
    generation = GenerationDefaults.read(folder, raw)
    shapes = found.shapes()
    tower = find_tower(found, shapes, vision_tower)
    config = PamConfig.from_official(raw, len(tokenizer), shapes, tower.shapes(shapes))
    return Parts(with_extras(found, tower), config, tokenizer, generation, tower)


def find_inner(source: str | Path, revision: str | None) -> tuple[str, Path]:
    """A checkpoint's name and the folder of its files, which on the Hub lies in a folder.

    Raises:
        CheckpointError: there is no such checkpoint, or several.
    """
    name, folder = find_folder(source, revision)
    if (folder / "config.json").is_file():
        return name, folder
    inner = sorted(path.parent for path in folder.glob("PAM-*/config.json"))
    if len(inner) > 1:
        raise CheckpointError(
            f"{name} holds several checkpoints; give the folder of one: "
            + ", ".join(path.name for path in inner)
        )
    return name, inner[0] if inner else folder


def read_config(name: str, folder: Path) -> dict[str, Any]:
    """The official ``config.json`` of the checkpoint called ``name``, which must be a PAM's.

    Raises:
        CheckpointError: it is missing, not JSON, or another model's.
    """
    check_model_type(folder, name, "pam")
    raw = read_json(folder / "config.json")
    refuse_other_models(raw)
    return raw


def load_tokenizer(folder: Path, raw: Mapping[str, Any]) -> PreTrainedTokenizerBase:
    """The checkpoint's tokenizer, with the token the authors' loader may add.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    tokenizer = load_qwen2_tokenizer(folder)
    if raw.get("mm_use_im_patch_token", True):
        tokenizer.add_tokens(["<im_patch>"], special_tokens=True)
    return tokenizer


def with_extras(checkpoint: Checkpoint, tower: Tower) -> Checkpoint:
    """The checkpoint with the other files that its answers depend on."""
    generation = checkpoint.folder / GENERATION_FILE
    files = (generation if generation.is_file() else None, tower.file)
    return replace(checkpoint, extra=tuple(file for file in files if file is not None))


def _official_name(name: str) -> str:
    """Official name of one of our parameters outside of the vision tower."""
    if name == _POSITIONS:
        return "model.vision_resampler.pe_layer.positional_encoding_gaussian_matrix"
    if name.startswith("language_model."):
        return name.removeprefix("language_model.")
    if name.startswith(_PERCEIVER):
        return f"model.vision_resampler.{layer_name(name.removeprefix(_PERCEIVER))}"
    return f"model.{name}"


def expected_shapes(model: PamModel) -> dict[str, tuple[int, ...]]:
    """Shapes of PAM's own tensors by official name, the vision tower's left out."""
    state = model.state_dict().items()
    shapes = {_official_name(n): tuple(t.shape) for n, t in state if not n.startswith(_TOWER)}
    stored = (model.config.stored_vocabulary, model.config.language.hidden_size)
    return shapes | {_official_name(name): stored for name in (_EMBEDDING, _HEAD)}


def expected_tower_shapes(
    model: PamModel, found: Mapping[str, object]
) -> dict[str, tuple[int, ...]]:
    """Shapes of the vision tower's tensors, under the names that those ``found`` have."""
    named = to_named(model.vision_tower.sam2.state_dict(), Naming.of(found))
    return {name: tuple(tensor.shape) for name, tensor in named.items()}


def own_tensors(tensors: Mapping[str, Value], tied: bool) -> dict[str, Value]:
    """PAM's own tensors, as far as pictures need them.

    Args:
        tensors: all of the checkpoint's, or what their files say of them.
        tied: whether the embedding serves as the head too, be it stored twice or once.
    """
    own = {n: t for n, t in tensors.items() if not n.startswith((INSIDE, *_VIDEO_ONLY))}
    embedding = own.get(_official_name(_EMBEDDING))
    if tied and embedding is not None:
        own[_official_name(_HEAD)] = embedding
    return own


def empty_model(config: PamConfig) -> PamModel:
    """A model without memory for its weights."""
    with torch.device("meta"):
        return PamModel(config)


def load_model(parts: Parts, device: torch.device, dtype: torch.dtype) -> PamModel:
    """Build the model and put the weights into it, ready for inference.

    Raises:
        CheckpointError: the weights are damaged, incomplete or do not fit the configuration.
    """
    model = empty_model(parts.config)
    state = _read_state(parts, model)
    if device.type != "meta":
        put_weights(model, state, device, dtype)
        language = model.language_model
        if parts.config.language.tie_word_embeddings:
            language.lm_head.weight = language.model.embed_tokens.weight
        restore_buffers(language)
    return model.eval()


def _read_state(parts: Parts, model: PamModel) -> dict[str, torch.Tensor]:
    """The checkpoint's tensors as our state dict, cut to the tokenizer's length."""
    config = parts.config.language
    tensors = parts.checkpoint.tensors()
    own = own_tensors(tensors, config.tie_word_embeddings)
    tower = parts.tower.tensors(tensors)
    check_tensors(parts.checkpoint.name, own, expected_shapes(model))
    check_tensors(parts.tower.source, tower, expected_tower_shapes(model, tower))
    names = [name for name in model.state_dict() if not name.startswith(_TOWER)]
    state = {name: own[_official_name(name)] for name in names}
    for name in (_EMBEDDING, _HEAD):
        state[name] = state[name][: config.vocab_size]
    sam2 = from_named(tower, list(model.vision_tower.sam2.state_dict()), Naming.of(tower))
    return state | {_TOWER + name: tensor for name, tensor in sam2.items()}


def random_model(
    config: PamConfig, seed: int, device: torch.device, dtype: torch.dtype
) -> PamModel:
    """A model with random weights, the same on every device for the same seed."""
    return random_weights(lambda: PamModel(config), seed, device, dtype)
