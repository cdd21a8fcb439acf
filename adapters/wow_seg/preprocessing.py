"""Pictures and masks to tiles, region crops and token masks.

Everything is sized by the model's ``image_size`` (448 at the published sizes) and token ``grid``
(16). Pixels stay uint8 here, where their :class:`~adapters.resampling.Resampler` keeps them;
:func:`adapters.pixels.normalise` turns a batch of them into the model's input.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageFilter

from adapters.masks import BoolMask, PixelBox
from adapters.resampling import HOST, Resampler
from adapters.wow_seg.configuration import WowSegConfig

BLUR_RADIUS = 10.0  # standard deviation in pixels of a 448-pixel crop; our choice


class RegionTokens(StrEnum):
    """How a mask becomes region tokens (paper, Table 6).

    ``mask2token`` keeps the crop's tokens under the mask. The two alternatives keep all of the
    crop's tokens and change its pixels outside the mask instead: white in ``fore2token``,
    Gaussian blur in ``blur2token``. The paper gives neither the fill nor the blur's width; white
    and :data:`BLUR_RADIUS` are this project's reading.
    """

    MASK2TOKEN = "mask2token"
    FORE2TOKEN = "fore2token"
    BLUR2TOKEN = "blur2token"


class RegionCrop(NamedTuple):
    """One region as the model sees it.

    ``pixels`` uint8 ``[image_size, image_size, 3]``; ``keep`` bool ``[grid, grid]``, true where
    the crop's token becomes a region token; ``box`` where it was cut.
    """

    pixels: torch.Tensor
    keep: BoolMask
    box: PixelBox


@dataclass(frozen=True, slots=True)
class TiledImage:
    """A picture cut into tiles.

    ``resized`` is the picture stretched to whole tiles, the frame of the crop boxes, uint8
    ``[3, height, width]``; ``tiles`` uint8 ``[tiles, image_size, image_size, 3]``, row by row, the
    thumbnail last when there is more than one tile. Crops are resized by ``resampler``, too.
    """

    resized: torch.Tensor
    tiles: torch.Tensor
    resampler: Resampler

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of ``resized``."""
        height, width = self.resized.shape[1:]
        return width, height


@cache
def _tile_grids(max_tiles: int) -> tuple[tuple[int, int], ...]:
    sides = range(1, max_tiles + 1)
    grids = [(c, r) for c in sides for r in sides if c * r <= max_tiles]
    return tuple(sorted(grids, key=lambda grid: grid[0] * grid[1]))


def choose_grid(width: int, height: int, max_tiles: int, image_size: int) -> tuple[int, int]:
    """Columns and rows of tiles whose aspect ratio is nearest the picture's.

    Of equally near ones the larger wins when the picture has more than half its pixels.
    """
    aspect = width / height
    best, smallest = (1, 1), float("inf")
    for columns, rows in _tile_grids(max_tiles):
        difference = abs(aspect - columns / rows)
        enough = width * height > 0.5 * image_size**2 * columns * rows
        if difference < smallest or (difference == smallest and enough):
            best, smallest = (columns, rows), difference
    return best


def tile_image(
    image: Image.Image, max_tiles: int, config: WowSegConfig, resampler: Resampler = HOST
) -> TiledImage:
    """Cut a picture into at most ``max_tiles`` tiles, plus a thumbnail when there are several."""
    size = config.image_size
    columns, rows = choose_grid(*image.size, max_tiles, size)
    picture = resampler.load(image.convert("RGB"))
    resized = resampler.resize(picture, (columns * size, rows * size))
    grid = resized.reshape(3, rows, size, columns, size)
    tiles = grid.permute(1, 3, 2, 4, 0).reshape(-1, size, size, 3)
    if len(tiles) > 1 and config.use_thumbnail:
        thumbnail = resampler.resize(picture, (size, size)).movedim(0, -1)
        tiles = torch.cat([tiles, thumbnail[None]])
    return TiledImage(resized, tiles, resampler)


def nearest_index(size: int, out: int) -> npt.NDArray[np.int64]:
    """Source index of each of ``out`` positions in nearest-neighbour resizing from ``size``.

    In float32, as torch computes it: exact integer arithmetic differs at some sizes.
    """
    step = np.float32(size) / np.float32(out)
    source = np.floor(np.arange(out, dtype=np.float32) * step)
    index: npt.NDArray[np.int64] = np.minimum(source.astype(np.int64), size - 1)
    return index


def crop_interval(low: int, high: int, wanted: np.float32, size: int) -> tuple[int, int]:
    """One axis of the crop box: both ends inclusive, ``wanted`` pixels where they fit.

    Args:
        low: first pixel of the mask.
        high: last pixel of the mask.
        wanted: side of the box.
        size: pixels of the picture along this axis.
    """
    length = min(wanted, np.float32(size))
    half, centre = length / np.float32(2), np.float32(low + high) / np.float32(2)
    start = max(0, int(centre - half))
    end = min(size - 1, int(centre + half))
    if end - start + 1 < length:
        if start == 0:
            end = min(size - 1, int(start + length))
        else:
            start = max(0, int(end - length))
    return start, end


def crop_region(
    tiled: TiledImage,
    mask: BoolMask,
    config: WowSegConfig,
    scale: float = 2.0,
    region_tokens: RegionTokens = RegionTokens.MASK2TOKEN,
) -> RegionCrop | None:
    """Cut the square around a mask and find the tokens under it.

    The mask is resized to the stretched picture (nearest), the square around it ``scale`` times
    its longer side, the crop stretched to ``image_size`` and the mask to ``grid``.

    Args:
        tiled: the picture, tiled.
        mask: bool ``[height, width]`` of the original picture.
        config: the model's sizes.
        scale: side of the crop relative to the mask's longer side.
        region_tokens: how the mask becomes tokens.

    Returns:
        The crop, or ``None`` when nothing of the mask is left after resizing.
    """
    width, height = tiled.size
    rows, columns = nearest_index(mask.shape[0], height), nearest_index(mask.shape[1], width)
    # The resized mask itself is never made: its rows and columns are those of the original.
    occupied_rows = np.flatnonzero(np.any(mask, axis=1)[rows])
    occupied_columns = np.flatnonzero(np.any(mask, axis=0)[columns])
    if len(occupied_rows) == 0 or len(occupied_columns) == 0:
        return None
    top, bottom = int(occupied_rows[0]), int(occupied_rows[-1])
    left, right = int(occupied_columns[0]), int(occupied_columns[-1])
    side = np.float32(max(right - left + 1, bottom - top + 1)) * np.float32(scale)
    x0, x1 = crop_interval(left, right, side, width)
    y0, y1 = crop_interval(top, bottom, side, height)
    box = PixelBox(x0, y0, x1 + 1, y1 + 1)
    crop = tiled.resized[:, box.top : box.bottom, box.left : box.right]
    rows, columns = rows[box.top : box.bottom], columns[box.left : box.right]
    if region_tokens is RegionTokens.MASK2TOKEN:
        keep = _sample(mask, rows, columns, config.grid)
    else:
        inside = tiled.resampler.upload(mask[rows[:, None], columns])
        crop = torch.where(inside, crop, _background(crop, region_tokens, tiled.resampler))
        keep = np.ones((config.grid, config.grid), dtype=np.bool_)
    size = (config.image_size, config.image_size)
    return RegionCrop(tiled.resampler.resize(crop, size).movedim(0, -1), keep, box)


def _sample(
    mask: BoolMask, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], grid: int
) -> BoolMask:
    """Nearest-resize ``mask[rows][:, columns]`` to ``[grid, grid]``."""
    rows = rows[nearest_index(len(rows), grid)]
    columns = columns[nearest_index(len(columns), grid)]
    return np.asarray(mask[rows[:, None], columns])


def _background(
    crop: torch.Tensor, region_tokens: RegionTokens, resampler: Resampler
) -> torch.Tensor:
    if region_tokens is RegionTokens.FORE2TOKEN:
        return torch.full_like(crop, 255)
    image = Image.fromarray(crop.movedim(0, -1).cpu().numpy())
    # The blur is as wide in the crop's own pixels as BLUR_RADIUS is after resizing to 448.
    radius = (BLUR_RADIUS * image.width / 448, BLUR_RADIUS * image.height / 448)
    return resampler.load(image.filter(ImageFilter.GaussianBlur(radius)))
