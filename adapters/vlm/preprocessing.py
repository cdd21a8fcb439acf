"""A picture and a mask to the picture a model is shown: a crop, or an outline drawn on it."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from adapters.masks import BoolMask, box_of_mask
from adapters.vlm.settings import RegionPrompt, Settings

SMALLEST_SIDE = 32  # pixels; some processors refuse, or misread, pictures of a few pixels
LINES_PER_SIDE = 150  # how many lines beside each other would fill the picture's longer side
THINNEST_LINE = 2  # pixels
RED = (255, 0, 0)


def show_region(image: Image.Image, mask: BoolMask, settings: Settings) -> Image.Image:
    """The picture that stands for one region.

    Args:
        image: the whole picture.
        mask: bool ``[height, width]``, not empty.
        settings: how the region is shown.

    Returns:
        RGB, no side shorter than :data:`SMALLEST_SIDE`.
    """
    image = image.convert("RGB")
    if settings.region_prompt is RegionPrompt.CROP:
        shown = crop_region(image, mask, settings.crop_scale)
    else:
        shown = outline_region(image, mask)
    return _enlarge(shown)


def crop_region(image: Image.Image, mask: BoolMask, scale: float) -> Image.Image:
    """Cut out the box around a mask.

    The box keeps its centre and is ``scale`` times as wide and high as the mask's, at least
    :data:`SMALLEST_SIDE`; where it would leave the picture it is moved, then cut.
    """
    box = box_of_mask(mask)
    left, right = _interval(box.left, box.right, scale, image.width)
    top, bottom = _interval(box.top, box.bottom, scale, image.height)
    return image.crop((left, top, right, bottom))


def _interval(start: int, end: int, scale: float, size: int) -> tuple[int, int]:
    """One axis of the crop, ends excluded, for a mask from ``start`` to ``end``."""
    length = min(max(round((end - start) * scale), SMALLEST_SIDE), size)
    first = min(max((start + end - length) // 2, 0), size - length)
    return first, first + length


def outline_region(image: Image.Image, mask: BoolMask) -> Image.Image:
    """Draw a mask's outline in red.

    The line lies outside the mask, so that it hides nothing of the region; only where the mask
    meets the picture's border it lies inside, half as wide.
    """
    pixels = np.array(image)
    pixels[outline(mask, line_width(image))] = RED
    return Image.fromarray(pixels)


def line_width(image: Image.Image) -> int:
    """Width of an outline in pixels, which stays visible when a model shrinks the picture."""
    return max(THINNEST_LINE, round(max(image.size) / LINES_PER_SIDE))


def outline(mask: BoolMask, width: int) -> BoolMask:
    """The pixels of a mask's outline.

    Args:
        mask: bool ``[height, width]``, not empty.
        width: of the line, in pixels.

    Returns:
        bool ``[height, width]``: pixels outside the mask no farther than ``width`` from it, and
        pixels of the mask nearer than half of ``width`` to one of its pixels on the border.
    """
    line = np.zeros_like(mask)
    box = box_of_mask(mask)
    near = (
        slice(max(box.top - width, 0), box.bottom + width),
        slice(max(box.left - width, 0), box.right + width),
    )
    inside = mask[near]
    line[near] = ~inside & (distance_transform_edt(~inside) <= width)
    on_border = mask.copy()
    on_border[1:-1, 1:-1] = False
    if on_border.any():
        line[near] |= inside & (distance_transform_edt(~on_border[near]) < width / 2)
    return line


def _enlarge(image: Image.Image) -> Image.Image:
    factor = SMALLEST_SIDE / min(image.size)
    if factor <= 1:
        return image
    width, height = (round(side * factor) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)
