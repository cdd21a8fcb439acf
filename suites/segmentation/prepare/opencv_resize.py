"""Resizing as ``cv2.resize`` does, to the last bit, without OpenCV."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ONE = 1 << 11
"""1.0 in OpenCV's fixed-point weights."""


def shrink_bilinear(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """``INTER_LINEAR``: between the four nearest pixels, without smoothing first.

    Args:
        pixels: ``[height, width, channels]``.
        size: width and height of the result.
    """
    columns = _blend(size[0], pixels.shape[1])
    rows = _blend(size[1], pixels.shape[0])
    across = pixels.astype(np.int32)
    across = (
        across[:, columns.first] * columns.first_weight[:, None]
        + across[:, columns.second] * columns.second_weight[:, None]
    ) >> 4
    # Each product loses its last 16 bits before they are added: OpenCV multiplies 16-bit numbers
    # and keeps the upper halves. In all, 22 bits of the weights go, the last two by rounding.
    down = ((across[rows.first] * rows.first_weight[:, None, None]) >> 16) + (
        (across[rows.second] * rows.second_weight[:, None, None]) >> 16
    )
    return ((down + 2) >> 2).astype(np.uint8)


def shrink_nearest(labels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """``INTER_NEAREST``: the label ``[height, width]`` at each pixel's top left corner."""
    rows = _corners(size[1], labels.shape[0])
    columns = _corners(size[0], labels.shape[1])
    return labels[rows[:, None], columns[None, :]]


class _Blend(NamedTuple):
    """Per pixel of the result, the two pixels of a row or column it lies between."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    first_weight: NDArray[np.int32]
    second_weight: NDArray[np.int32]


def _blend(small: int, large: int) -> _Blend:
    centres = ((np.arange(small) + 0.5) * _step(small, large) - 0.5).astype(np.float32)
    first = np.floor(centres)
    share = centres - first
    # Outside the centres of the outermost pixels there is nothing to blend with.
    share[(first < 0) | (first >= large - 1)] = 0
    first = np.clip(first, 0, large - 1).astype(np.intp)
    return _Blend(
        first,
        np.minimum(first + 1, large - 1),
        np.rint((1 - share) * _ONE).astype(np.int32),
        np.rint(share * _ONE).astype(np.int32),
    )


def _corners(small: int, large: int) -> NDArray[np.intp]:
    corners: NDArray[np.intp] = np.floor(np.arange(small) * _step(small, large)).astype(np.intp)
    return np.clip(corners, 0, large - 1)


def _step(small: int, large: int) -> float:
    """Pixels per pixel: the reciprocal of a quotient, to round in floating point as OpenCV does."""
    return 1.0 / (small / large)
