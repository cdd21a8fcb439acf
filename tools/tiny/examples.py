"""Scenes as the model sees them: tiles, region crops and token masks, kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from adapters.wow_seg.configuration import WowSegConfig
from adapters.wow_seg.preprocessing import crop_region, tile_image
from suites.shapes.layout import Difficulty
from suites.shapes.scenes import Scene, Split, scene

PICTURE_SIZE = 128


class Example(NamedTuple):
    """One scene.

    ``pixels``: uint8 ``[1 + regions, side, side, 3]``, the whole picture first. ``keep``: bool
    ``[regions, grid, grid]``. ``names`` are aligned with the regions.
    """

    pixels: NDArray[np.uint8]
    keep: NDArray[np.bool_]
    names: tuple[str, ...]


def prepare(scene: Scene, config: WowSegConfig) -> Example:
    """Tile and crop a scene, without regions that no token shows (about one in a thousand)."""
    tiled = tile_image(Image.fromarray(scene.pixels), 1, config)
    seen = []
    for mask, name in zip(scene.masks, scene.names, strict=True):
        crop = crop_region(tiled, mask, config)
        if crop is not None and crop.keep.any():
            seen.append((crop, name))
    return Example(
        pixels=torch.stack([*tiled.tiles, *(crop.pixels for crop, _ in seen)]).numpy(),
        keep=np.stack([crop.keep for crop, _ in seen]),
        names=tuple(name for _, name in seen),
    )


def examples(
    seed: int, split: Split, indices: Iterable[int], config: WowSegConfig
) -> list[Example]:
    """Scenes of a split at normal difficulty, prepared."""
    return [
        prepare(scene(seed, split, index, PICTURE_SIZE, Difficulty.NORMAL), config)
        for index in indices
    ]
