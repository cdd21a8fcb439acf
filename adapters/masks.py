"""Binary masks from COCO run-length encoding, without trusting its contents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.interface import RLE, AdapterError

BoolMask = npt.NDArray[np.bool_]


class PixelBox(NamedTuple):
    """Pixels ``[left, right) x [top, bottom)``, as Pillow crops."""

    left: int
    top: int
    right: int
    bottom: int


class MaskError(AdapterError):
    """A mask cannot be decoded or does not belong to its picture."""


def decode_rle(rle: RLE) -> BoolMask:
    """Decode a COCO compressed RLE.

    Run lengths are base-32 numbers, least significant digit first, one character a digit; from
    the fourth on each is stored as the difference to the one two before. Runs alternate between
    0 and 1, starting with 0, down the columns.

    Args:
        rle: size ``(height, width)`` and counts.

    Returns:
        bool ``[height, width]``.

    Raises:
        MaskError: the counts are not such a string, or do not fill the mask exactly.
    """
    height, width = rle.size
    runs = _run_lengths(rle.counts)
    if (runs < 0).any() or int(runs.sum()) != height * width:
        raise MaskError(
            f"run-length encoding fills {int(runs.sum())} pixels where its size "
            f"{height}x{width} has {height * width}; the annotation is damaged"
        )
    values = np.zeros(len(runs), dtype=np.bool_)
    values[1::2] = True
    return np.repeat(values, runs).reshape(width, height).T


def _run_lengths(counts: str) -> npt.NDArray[np.int64]:
    """Parse the counts string into run lengths."""
    digits = np.frombuffer(counts.encode("latin-1", "replace"), dtype=np.uint8).astype(np.int64)
    digits -= 48
    if len(digits) == 0:
        return np.zeros(0, dtype=np.int64)
    if (digits < 0).any() or (digits > 63).any() or digits[-1] & 32:
        raise MaskError("run-length counts are not a COCO compressed string")
    last = (digits & 32) == 0
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(digits)) - np.repeat(starts, ends - starts + 1)
    if place.max() > 6:  # 35 bits hold any picture's area; more would overflow
        raise MaskError("run-length counts hold an impossibly large number")
    numbers = np.add.reduceat((digits & 31) << (5 * place), starts)
    negative = (digits[ends] & 16) != 0
    numbers -= np.where(negative, np.int64(1) << (5 * (place[ends] + 1)), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def decode_for(rle: RLE, image_size: tuple[int, int]) -> BoolMask:
    """Decode a mask that must have its picture's size.

    Args:
        rle: the mask.
        image_size: the picture's ``(width, height)``, as Pillow gives it.

    Raises:
        MaskError: the sizes differ, or the mask cannot be decoded.
    """
    width, height = image_size
    if tuple(rle.size) != (height, width):
        raise MaskError(
            f"mask is {rle.size[1]}x{rle.size[0]} (width x height) but its picture is "
            f"{width}x{height}; masks must have the picture's size"
        )
    return decode_rle(rle)


def box_of_mask(mask: BoolMask) -> PixelBox:
    """The smallest box that holds a mask, bool ``[height, width]``, which must not be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return PixelBox(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
