"""Regions through the vision path, in batches of bounded size.

A region's mask enters with the patches, so that all features depend on the region. Shared by the
regions of a batch are the picture's stretched pixels and their patch embedding, nothing beyond.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from adapters.dam.modeling import DamModel
from adapters.dam.preprocessing import RegionView, normalise
from adapters.device import upload

VISION_BATCH = 8  # regions; each is a full picture and a crop of 729 patches


def encode_regions(
    model: DamModel, picture: torch.Tensor, regions: Sequence[RegionView]
) -> torch.Tensor:
    """Image tokens of a picture's regions.

    Args:
        model: the network.
        picture: uint8 ``[3, S, S]``, the full picture, stretched.
        regions: at least one.

    Returns:
        ``[regions, tokens, hidden]``.
    """
    batches = [
        regions[start : start + VISION_BATCH] for start in range(0, len(regions), VISION_BATCH)
    ]
    return torch.cat(
        [
            model.project(fused_features(model, full_features(model, picture, batch), batch))
            for batch in batches
        ]
    )


def full_features(
    model: DamModel, picture: torch.Tensor, regions: Sequence[RegionView]
) -> torch.Tensor:
    """Features ``[n, patches, D]`` of the full picture with each region's mask over it."""
    masks = _input(model, [region.mask for region in regions])
    return model.look(_input(model, [picture]), masks)


def fused_features(
    model: DamModel, full: torch.Tensor, regions: Sequence[RegionView]
) -> torch.Tensor:
    """Features with the focal crops looked at, where they show anything else than the picture.

    Args:
        model: the network.
        full: ``[n, patches, D]`` of :func:`full_features`.
        regions: n regions.

    Returns:
        ``[n, patches, D]``; a region without focal crop keeps those of the full picture.
    """
    context = model.config.context
    if context is None:
        return full
    chosen = [i for i, region in enumerate(regions) if region.focal or context.always]
    if not chosen:
        return full
    crops = _input(model, [regions[i].crop for i in chosen])
    crop_masks = _input(model, [regions[i].crop_mask for i in chosen])
    rows = upload(torch.tensor(chosen), full.device)
    return full.index_copy(0, rows, model.focus(crops, crop_masks, full[rows]))


def _input(model: DamModel, pictures: list[torch.Tensor]) -> torch.Tensor:
    return normalise(torch.stack(pictures).to(model.device), model.dtype)
