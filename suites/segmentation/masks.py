"""Labels and masks out of a label map, all in one pass over its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pycocotools.mask
from numpy.typing import NDArray

from adapters.interface import RLE


def labels_in(labels: NDArray[Any]) -> NDArray[Any]:
    """The labels that occur in a map, ascending.

    Only the pixels where a run of one label ends are compared: far fewer than there are.
    """
    pixels = labels.ravel()
    ends = np.flatnonzero(pixels[1:] != pixels[:-1])
    return np.unique(np.append(pixels[ends], pixels[-1:]))


def masks_of(labels: NDArray[Any], wanted: NDArray[Any]) -> list[RLE]:
    """The mask of every wanted label, in the order of ``wanted``.

    Args:
        labels: integer ``[height, width]``.
        wanted: ``[regions]`` labels; one that is not in the map gives an empty mask.
    """
    height, width = labels.shape
    # COCO's runs go down the columns.
    pixels = labels.ravel(order="F")
    starts = np.concatenate(([0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1))
    values = pixels[starts]
    lengths = np.diff(starts, append=pixels.size)
    order = np.argsort(values, kind="stable")
    low = np.searchsorted(values, wanted, side="left", sorter=order)
    high = np.searchsorted(values, wanted, side="right", sorter=order)
    runs = [order[first:last] for first, last in zip(low, high, strict=True)]
    return [_rle(starts[run], lengths[run], height, width) for run in runs]


def _rle(starts: NDArray[np.intp], lengths: NDArray[np.intp], height: int, width: int) -> RLE:
    """Runs of ones to COCO's alternating lengths of zeros and ones, compressed."""
    ends = starts + lengths
    gaps = np.diff(starts, prepend=0)
    gaps[1:] -= lengths[:-1]
    counts = np.stack([gaps, lengths], axis=1).ravel().tolist()
    tail = height * width - (int(ends[-1]) if len(ends) else 0)
    if tail:
        counts.append(tail)
    packed = pycocotools.mask.frPyObjects(
        {"size": [height, width], "counts": counts}, height, width
    )
    return RLE((height, width), packed["counts"].decode("ascii"))
