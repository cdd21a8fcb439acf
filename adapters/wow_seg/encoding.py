"""Tiles and region crops through the vision tower, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from adapters.device import upload
from adapters.pixels import normalise
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.preprocessing import RegionCrop

VISION_BATCH = 16  # pictures; a 12-tile image, its thumbnail and one crop fit in one batch


def encode_pictures(
    model: WowSegModel, tiles: torch.Tensor, crops: Sequence[RegionCrop]
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
    whole = np.ones((model.config.grid, model.config.grid), dtype=np.bool_)
    keeps = [*(whole for _ in tiles), *(crop.keep for crop in crops)]
    hidden = model.config.language.hidden_size
    kept = [torch.zeros(0, hidden, device=model.device, dtype=model.dtype)]
    for start in range(0, len(pictures), VISION_BATCH):
        batch = slice(start, start + VISION_BATCH)
        pixels = torch.stack(pictures[batch]).to(model.device)
        features = model.encode(normalise(pixels, model.dtype)).flatten(0, 1)
        # Indices, not a mask, whose count a device would have to tell the host.
        places = torch.from_numpy(np.flatnonzero(keeps[batch]))
        chosen = features[upload(places, model.device)]
        kept += chosen.split_with_sizes([int(keep.sum()) for keep in keeps[batch]])
    return torch.cat(kept[: len(tiles) + 1]), kept[len(tiles) + 1 :]
