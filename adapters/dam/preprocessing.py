"""Pictures and masks to what the network sees: the full picture and each region's focal crop.

Everything is stretched to squares of the model's ``image_size``. Pixels stay uint8 here;
:func:`normalise` turns a batch of them into the model's input.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from adapters.masks import BoolMask, PixelBox, box_of_mask

LEAST_SIDE = 48  # pixels; smaller regions are given the surroundings of one of this size

Pixels = npt.NDArray[np.uint8]


class RegionView(NamedTuple):
    """One region as the model sees it, ``S`` pixels a side.

    ``mask`` uint8 ``[S, S]`` lies over the full picture; ``crop`` uint8 ``[S, S, 3]`` and
    ``crop_mask`` uint8 ``[S, S]`` are the region with its surroundings. Masks are 255 inside, 0
    outside and grey along their edges. ``focal`` tells whether the crop shows anything else than
    the full picture.
    """

    mask: Pixels
    crop: Pixels
    crop_mask: Pixels
    focal: bool


def focal_box(box: PixelBox, width: int, height: int) -> PixelBox:
    """The region with one more of its size on every side, clamped to the picture.

    Args:
        box: the mask's.
        width: of the picture.
        height: of the picture.
    """
    left, right = _interval(box.left, box.right, width)
    top, bottom = _interval(box.top, box.bottom, height)
    return PixelBox(left, top, right, bottom)


def _interval(low: int, high: int, size: int) -> tuple[int, int]:
    length = max(high - low, LEAST_SIDE)
    # int() rounds towards zero, also where the start lies outside the picture.
    start = int((low + high) / 2 - length / 2)
    return max(start - length, 0), min(start + 2 * length, size)


def stretch(image: Image.Image, size: int) -> Pixels:
    """Resize to ``size`` pixels a side by Pillow's bicubic on 8-bit values.

    Returns:
        uint8 ``[size, size, 3]`` of an RGB picture, ``[size, size]`` of a grey one.
    """
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))


def view_region(image: Image.Image, picture: Pixels, mask: BoolMask) -> RegionView:
    """Prepare one region.

    Args:
        image: the picture, RGB.
        picture: the same, stretched.
        mask: bool ``[height, width]`` of the picture's size, not empty.
    """
    size = len(picture)
    drawn = Image.fromarray(mask.astype(np.uint8) * 255)
    box = focal_box(box_of_mask(mask), *image.size)
    full_mask = stretch(drawn, size)
    if box == (0, 0, *image.size):
        return RegionView(full_mask, picture, full_mask, focal=False)
    crop, crop_mask = stretch(image.crop(box), size), stretch(drawn.crop(box), size)
    # What decides is the pixels, which can agree by chance: in a picture of one colour, say.
    same = np.array_equal(crop, picture) and np.array_equal(crop_mask, full_mask)
    return RegionView(full_mask, crop, crop_mask, focal=not same)


def normalise(pixels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Scale to [-1, 1], masks like pictures.

    Args:
        pixels: uint8 ``[n, S, S, 3]`` pictures or ``[n, S, S]`` masks.
        dtype: of the result; the arithmetic is float32.

    Returns:
        ``[n, 3, S, S]`` or ``[n, 1, S, S]``.
    """
    scaled = pixels.to(torch.float32).div_(255).sub_(0.5).div_(0.5)
    channels = scaled[:, None] if scaled.dim() == 3 else scaled.permute(0, 3, 1, 2)
    return channels.to(dtype).contiguous()
