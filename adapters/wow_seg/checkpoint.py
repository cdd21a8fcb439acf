"""The published InternVLChat layout, to and from :class:`WowSegModel`.

Projector and language model keep their official names; the vision tower is transformers' own,
which names its parts differently and holds query, key and value apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file

from adapters.checkpoint import Checkpoint, check_tensors, put_weights, renamed
from adapters.device import dtype_name
from adapters.language import restore_buffers
from adapters.random_weights import random_weights
from adapters.wow_seg.configuration import WowSegConfig
from adapters.wow_seg.modeling import WowSegModel

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_EMBEDDINGS = {
    "embeddings.cls_token": "embeddings.class_embedding",
    "embeddings.position_embeddings": "embeddings.position_embedding",
    "embeddings.patch_embeddings.projection": "embeddings.patch_embedding",
}
_LAYER = {
    "attention.projection_layer": "attn.proj",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "lambda_1": "ls1",
    "lambda_2": "ls2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_VISION_LAYER = re.compile(r"vision_model\.encoder\.layer\.(\d+)\.(.+)")
_SPLIT = re.compile(r"attention\.([qkv])_proj\.(weight|bias)")


def _official_name(name: str) -> str:
    """Official name of one of our parameters; the same for the three parts of a fused ``qkv``."""
    if not name.startswith("vision_model."):
        return name
    layer = _VISION_LAYER.fullmatch(name)
    if layer is None:
        ours = name.removeprefix("vision_model.")
        return f"vision_model.{renamed(ours, _EMBEDDINGS)}"
    index, rest = layer.groups()
    split = _SPLIT.fullmatch(rest)
    official = f"attn.qkv.{split[2]}" if split else renamed(rest, _LAYER)
    return f"vision_model.encoder.layers.{index}.{official}"


def to_official(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our state dict under the official names, ``qkv`` fused in three row blocks."""
    parts: dict[str, list[torch.Tensor]] = {}
    for name, tensor in state.items():  # query, key, value come in this order
        parts.setdefault(_official_name(name), []).append(tensor)
    return {name: p[0] if len(p) == 1 else torch.cat(p) for name, p in parts.items()}


def from_official(tensors: Mapping[str, torch.Tensor], names: list[str]) -> dict[str, torch.Tensor]:
    """Official tensors as our state dict.

    Args:
        tensors: by official name, complete.
        names: our parameters' names.
    """
    state = {}
    for name in names:
        tensor = tensors[_official_name(name)]
        split = _SPLIT.search(name) if name.startswith("vision_model.") else None
        state[name] = tensor.chunk(3)["qkv".index(split[1])] if split else tensor
    return state


def load_model(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> WowSegModel:
    """Build the model and put the checkpoint's weights into it, ready for inference.

    Raises:
        CheckpointError: the configuration or the weights are not a WOW-Seg's.
    """
    config = WowSegConfig.from_json(checkpoint.folder / "config.json")
    with torch.device("meta"):
        model = WowSegModel(config)
    ours = model.state_dict()
    tensors = checkpoint.tensors()
    check_tensors(
        checkpoint.name, tensors, {k: tuple(v.shape) for k, v in to_official(ours).items()}
    )
    if device.type != "meta":
        put_weights(model, from_official(tensors, list(ours)), device, dtype)
        restore_buffers(model.language_model)
    return model.eval()


def random_model(
    config: WowSegConfig, seed: int, device: torch.device, dtype: torch.dtype
) -> WowSegModel:
    """A model with random weights, the same on every device for the same seed."""
    return random_weights(lambda: WowSegModel(config), seed, device, dtype)


def save_official(
    model: WowSegModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a checkpoint in the published layout.

    Args:
        model: its weights and configuration.
        tokenizer: with InternVL's added tokens.
        folder: made if it does not exist.
        dtype: to store the weights in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = model.config.to_official(dtype_name(dtype))
    text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    state = {
        k: v.detach().to("cpu", dtype).contiguous()
        for k, v in to_official(model.state_dict()).items()
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save_pretrained(folder)
