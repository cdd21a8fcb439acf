"""SAM 2's tensors under the names of its authors and of transformers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import torch

# transformers' names on the left; the longest that fits counts.
_NAMES: Mapping[str, str] = {
    "vision_encoder.backbone": "image_encoder.trunk",
    "vision_encoder.neck": "image_encoder.neck",
    "prompt_encoder": "sam_prompt_encoder",
    "prompt_encoder.mask_embed.conv1": "sam_prompt_encoder.mask_downscaling.0",
    "prompt_encoder.mask_embed.layer_norm1": "sam_prompt_encoder.mask_downscaling.1",
    "prompt_encoder.mask_embed.conv2": "sam_prompt_encoder.mask_downscaling.3",
    "prompt_encoder.mask_embed.layer_norm2": "sam_prompt_encoder.mask_downscaling.4",
    "prompt_encoder.mask_embed.conv3": "sam_prompt_encoder.mask_downscaling.6",
    "mask_decoder": "sam_mask_decoder",
    "mask_decoder.upscale_conv1": "sam_mask_decoder.output_upscaling.0",
    "mask_decoder.upscale_layer_norm": "sam_mask_decoder.output_upscaling.1",
    "mask_decoder.upscale_conv2": "sam_mask_decoder.output_upscaling.3",
    "no_memory_embedding": "no_mem_embed",
}
_THREE_LAYERS = r"(output_hypernetworks_mlps\.\d+|iou_prediction_head|pred_obj_score_head)"
_PARTS: tuple[tuple[str, str], ...] = (
    (r"patch_embed\.projection\.", "patch_embed.proj."),
    (r"(neck\.convs\.\d+)\.", r"\1.conv."),
    (rf"{_THREE_LAYERS}\.layers\.0\.", r"\1.layers.1."),
    (rf"{_THREE_LAYERS}\.proj_in\.", r"\1.layers.0."),
    (rf"{_THREE_LAYERS}\.proj_out\.", r"\1.layers.2."),
)
# In both of the two-way transformers and in the trunk's blocks.
_LAYER_PARTS: tuple[tuple[str, str], ...] = (
    (r"\.mlp\.proj_in\.", ".mlp.layers.0."),
    (r"\.mlp\.proj_out\.", ".mlp.layers.1."),
    (r"(?<=\d)\.layer_norm(\d)\.", r".norm\1."),
    (r"layer_norm_final_attn\.", "norm_final_attn."),
    (r"\.o_proj\.", ".out_proj."),
)
_POINTS = "prompt_encoder.point_embed.weight"
_POSITIONS = "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
_POSITION_COPIES = (
    "prompt_encoder.shared_embedding.positional_embedding",
    "shared_image_embedding.positional_embedding",
)
# What SAM 2 remembers videos with, under either name.
_VIDEO_ONLY = re.compile(
    r"memory_|maskmem_|mask_downsample|obj_ptr_|object_pointer_|no_obj|no_mem_pos|no_memory_pos"
    r"|temporal_positional|occlusion_spatial"
)


class Naming(StrEnum):
    """Whose names a file of SAM 2 weights uses."""

    AUTHORS = "authors"
    TRANSFORMERS = "transformers"

    @classmethod
    def of(cls, names: Mapping[str, object]) -> Naming:
        """The naming of a file's tensors."""
        ours = any(name.startswith("vision_encoder.") for name in names)
        return cls.TRANSFORMERS if ours else cls.AUTHORS


def layer_name(name: str) -> str:
    """The authors' name of a transformer layer's parameter, below a name both agree on."""
    return _substitute(name, _LAYER_PARTS)


def _substitute(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _authors_name(name: str) -> str:
    if name in _POSITION_COPIES:
        return _POSITIONS
    ours = max((n for n in _NAMES if f"{name}.".startswith(f"{n}.")), key=len)
    return _substitute(_NAMES[ours] + name.removeprefix(ours), _PARTS + _LAYER_PARTS)


def video_only(name: str) -> bool:
    """Whether a tensor is of SAM 2's video part, which pictures do not need."""
    return _VIDEO_ONLY.match(name) is not None


def to_named(state: Mapping[str, torch.Tensor], naming: Naming) -> dict[str, torch.Tensor]:
    """A ``Sam2Model``'s state dict under the names of a file."""
    if naming is Naming.TRANSFORMERS:
        return dict(state)
    named = {_authors_name(name): tensor for name, tensor in state.items() if name != _POINTS}
    points = enumerate(torch.split(state[_POINTS], 1))
    return named | {f"sam_prompt_encoder.point_embeddings.{i}.weight": row for i, row in points}


def from_named(
    tensors: Mapping[str, torch.Tensor], names: list[str], naming: Naming
) -> dict[str, torch.Tensor]:
    """A file's tensors as a ``Sam2Model``'s state dict.

    Args:
        tensors: by the file's names, complete.
        names: the model's own.
        naming: the file's.
    """
    if naming is Naming.TRANSFORMERS:
        return {name: tensors[name] for name in names}
    state = {name: tensors[_authors_name(name)] for name in names if name != _POINTS}
    points = [tensors[f"sam_prompt_encoder.point_embeddings.{i}.weight"] for i in range(4)]
    return state | {_POINTS: torch.cat(points)}
