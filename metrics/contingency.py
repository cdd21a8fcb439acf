"""How many pixels two label maps share, pair by pair.

Every segmentation metric of this room starts from such a contingency table and never looks at a
pixel again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metrics.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LABEL_LIMIT = 1 << 32


class Overlaps(NamedTuple):
    """The pairs of labels that share pixels, sorted by (first, second); all int64 ``[pairs]``."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    pixels: NDArray[np.int64]


def overlaps(first: NDArray[Any], second: NDArray[Any]) -> Overlaps:
    """Count the pixels of every pair of labels in two aligned maps.

    Label maps are made of horizontal runs, of which there are far fewer than pixels: only the
    first pixel of each run is looked up and sorted.

    Args:
        first: integer labels in [0, 2³²), any shape.
        second: likewise, of the same shape.

    Raises:
        MetricError: the shapes differ, or a map holds something else than such labels.

    >>> overlaps(np.array([[7, 7], [7, 0]]), np.array([[1, 2], [2, 2]])).pixels
    array([1, 1, 2])
    """
    if first.shape != second.shape:
        raise MetricError(f"cannot overlay maps of {first.shape} and {second.shape} pixels")
    left, right = _labels(first), _labels(second)
    if not left.size:
        empty = np.empty(0, np.int64)
        return Overlaps(empty, empty, empty)
    changes = left[1:] != left[:-1]
    changes |= right[1:] != right[:-1]
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    keys = (left[starts].astype(np.uint64) << np.uint64(32)) | right[starts].astype(np.uint64)
    pairs, pair_of_run = np.unique(keys, return_inverse=True)
    lengths = np.diff(starts, append=left.size)
    return Overlaps(
        (pairs >> np.uint64(32)).astype(np.int64),
        (pairs & np.uint64(_LABEL_LIMIT - 1)).astype(np.int64),
        sums(pair_of_run, lengths, len(pairs)),
    )


def sums(groups: NDArray[Any], values: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Sum of the integer values in each of ``size`` groups; exact below 2⁵³."""
    return np.bincount(groups, weights=values, minlength=size).astype(np.int64)


def positions(values: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.intp]:
    """Index of every value in ``labels`` (distinct, any order); −1 for one that is not there."""
    if not len(labels):
        return np.full(values.shape, -1, np.intp)
    order = np.argsort(labels)
    nearest = np.minimum(np.searchsorted(labels, values, sorter=order), len(labels) - 1)
    found = order[nearest]
    return np.where(labels[found] == values, found, -1)


def _labels(labels: NDArray[Any]) -> NDArray[Any]:
    """The map as one row, refused unless every label fits the packed key."""
    if labels.dtype.kind not in "ui":
        raise MetricError(f"a label map holds integers, this one {labels.dtype}")
    fits = labels.dtype.kind == "u" and labels.dtype.itemsize <= 4
    if not fits and labels.size and not 0 <= labels.min() <= labels.max() < _LABEL_LIMIT:
        raise MetricError(
            f"labels from {labels.min()} to {labels.max()} cannot be counted; they lie in "
            f"[0, {_LABEL_LIMIT})"
        )
    return labels.ravel()
