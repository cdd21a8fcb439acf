"""Means over groups of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class GroupMeans(NamedTuple):
    """Per group: the mean of each column ``[groups, columns]`` and the number of rows."""

    means: NDArray[np.float64]
    counts: NDArray[np.intp]


def group_means(values: NDArray[np.float64], groups: NDArray[np.intp]) -> GroupMeans:
    """Mean of every column within every group.

    Args:
        values: ``[rows, columns]``.
        groups: ``[rows]``, 0 … G − 1.

    Returns:
        Means ``[G, columns]``, NaN for a group without rows, and counts ``[G]``.
    """
    counts = np.bincount(groups)
    sums = np.stack([np.bincount(groups, weights=column) for column in values.T], axis=1)
    with np.errstate(invalid="ignore"):
        return GroupMeans(sums / counts[:, None], counts)
