"""Tiles and region crops through the vision tower, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from adapters.pixels import normalise
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.preprocessing import Pixels, RegionCrop

VISION_BATCH = 16  # pictures; a 12-tile image, its thumbnail and one crop fit in one batch


def encode_pictures(
    model: WowSegModel, tiles: Pixels, crops: Sequence[RegionCrop]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Features of an image's tiles and of its regions.

    Args:
        model: the network.
        tiles: uint8 ``[tiles, image_size, image_size, 3]``; may be empty.
        crops: the regions.

    Returns:
        The tiles' tokens ``[tiles * tokens_per_tile, hidden]`` and, for each crop, the tokens it
        keeps ``[k, hidden]``, row by row.
    """
    pictures = [*tiles, *(crop.pixels for crop in crops)]
    kept: list[torch.Tensor] = []
    for start in range(0, len(pictures), VISION_BATCH):
        batch = torch.from_numpy(np.stack(pictures[start : start + VISION_BATCH]))
        features = model.encode(normalise(batch.to(model.device), model.dtype))
        for i, tokens in enumerate(features, start=start - len(tiles)):
            if i < 0:
                kept.append(tokens)
            else:
                # Indices, not a mask, whose count a device would have to tell the host.
                keep = torch.from_numpy(np.flatnonzero(crops[i].keep))
                kept.append(tokens[keep.to(model.device)])
    hidden = model.config.language.hidden_size
    nothing = torch.zeros(0, hidden, device=model.device, dtype=model.dtype)
    return torch.cat([nothing, *kept[: len(tiles)]]), kept[len(tiles) :]
