"""Pictures and masks to what the network sees: the full picture and each region's focal crop.

Everything is stretched to squares of the model's ``image_size`` by Pillow's bicubic. Pixels stay
uint8 here, where their :class:`~adapters.resampling.Resampler` keeps them; :func:`normalise` turns
a batch of them into the model's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from adapters.masks import BoolMask, PixelBox, box_of_mask
from adapters.resampling import HOST, Resampler

LEAST_SIDE = 48  # pixels; smaller regions are given the surroundings of one of this size


class Picture(NamedTuple):
    """A picture to look at regions of.

    ``planes`` uint8 ``[3, height, width]``; ``stretched`` uint8 ``[3, S, S]``, the same, ``S``
    pixels a side. Its regions are resized by ``resampler``, too.
    """

    planes: torch.Tensor
    stretched: torch.Tensor
    resampler: Resampler


class RegionView(NamedTuple):
    """One region as the model sees it, ``S`` pixels a side.

    ``mask`` uint8 ``[1, S, S]`` lies over the full picture; ``crop`` uint8 ``[3, S, S]`` and
    ``crop_mask`` uint8 ``[1, S, S]`` are the region with its surroundings. Masks are 255 inside, 0
    outside and grey along their edges. ``focal`` tells whether the crop shows anything else than
    the full picture.
    """

    mask: torch.Tensor
    crop: torch.Tensor
    crop_mask: torch.Tensor
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


def stretch(image: Image.Image, size: int, resampler: Resampler = HOST) -> Picture:
    """Load a picture and stretch it to ``size`` pixels a side."""
    planes = resampler.load(image.convert("RGB"))
    return Picture(planes, resampler.resize(planes, (size, size)), resampler)


def view_regions(picture: Picture, masks: Sequence[BoolMask]) -> list[RegionView]:
    """Prepare regions.

    Args:
        picture: what they are regions of.
        masks: at least one, bool ``[height, width]`` of the picture's size, none of them empty.
    """
    seen = [_look(picture, mask) for mask in masks]
    # What decides is the pixels, which can agree by chance: in a picture of one colour, say.
    differ = torch.stack([(full != crop).any() for full, crop in seen])
    # All are asked for at once: the host waits for a device each time.
    focal: list[bool] = differ.tolist()
    return [
        RegionView(full[3:], crop[:3], crop[3:], differs)
        for (full, crop), differs in zip(seen, focal, strict=True)
    ]


def _look(picture: Picture, mask: BoolMask) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours and mask, uint8 ``[4, S, S]``, of the full picture and of the focal crop."""
    planes, stretched, resampler = picture
    height, width = planes.shape[1:]
    size = (stretched.shape[2], stretched.shape[1])
    drawn = resampler.upload(mask)[None].to(torch.uint8) * 255
    full = torch.cat([stretched, resampler.resize(drawn, size)])
    box = focal_box(box_of_mask(mask), width, height)
    if box == (0, 0, width, height):
        return full, full
    part = (slice(None), slice(box.top, box.bottom), slice(box.left, box.right))
    return full, resampler.resize(torch.cat([planes[part], drawn[part]]), size)


def normalise(pixels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Scale to [-1, 1], masks like pictures.

    Args:
        pixels: uint8, of any shape.
        dtype: of the result; the arithmetic is float32.
    """
    return pixels.to(torch.float32).div_(255).sub_(0.5).div_(0.5).to(dtype)
