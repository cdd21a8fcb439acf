"""Two runs compared group by group, such as category by category, on the same rows.

A group often has rows of a handful of images only, where a bootstrap's p-value is far too small:
with two images that agree it knows no other sign. The p-values here are therefore of the
approximate randomisation test: had the runs' answers to any image been swapped, the difference
would have come out otherwise so often (Noreen, "Computer-Intensive Methods for Testing
Hypotheses", 1989; Yeh, "More accurate tests for the statistical significance of result
differences", COLING 2000). It is exact for any number of images, and never below 0.05 for fewer
than six.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metrics.bootstrap import RESAMPLES, Interval, interval_of, resample_weights
from metrics.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SWAPS = 9999
_CELLS_AT_ONCE = 1 << 18
_ROUNDING = 1e-9  # relative: sums that differ by less are equal


class GroupDifference(NamedTuple):
    """One group's means under both runs, and their difference (first minus second).

    ``rows`` and ``clusters`` say how much was compared; the 95 % interval is absent for fewer
    than two clusters.
    """

    group: Any
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p: float
    rows: int
    clusters: int


def group_differences(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    clusters: NDArray[Any],
    groups: NDArray[Any],
    *,
    resamples: int = RESAMPLES,
    swaps: int = SWAPS,
    seed: int = 0,
) -> list[GroupDifference]:
    """Compare two runs on the same rows, clustered by image, in every group.

    Intervals are of the bootstrap over all clusters, as in :mod:`metrics.bootstrap`; a resample
    without a row of the group does not count for it.

    Args:
        first: ``[rows]`` scores of one run; NaN where it has none.
        second: ``[rows]`` scores of the other, aligned; rows with a NaN on either side are left
            out.
        clusters: ``[rows]``, whatever identifies a row's image.
        groups: ``[rows]``, whatever identifies a row's group.
        resamples: number of resamples behind the intervals.
        swaps: number of random swaps behind the p-values, none of which is below
            ``1 / (swaps + 1)``.
        seed: seed of both.

    Returns:
        The groups with a row that counts, sorted.

    Raises:
        MetricError: the arrays are not aligned.
    """
    if not len(first) == len(second) == len(clusters) == len(groups):
        raise MetricError(
            f"cannot pair {len(first)} and {len(second)} scores in {len(clusters)} clusters and "
            f"{len(groups)} groups; pass one of each per row"
        )
    shared = ~(np.isnan(first) | np.isnan(second))
    first, second = first[shared], second[shared]
    if not len(first):
        return []
    names, group = np.unique(groups[shared], return_inverse=True)
    cells = _Cells.of(first - second, np.unique(clusters[shared], return_inverse=True)[1], group)
    draws, p = cells.draws(resamples, seed), cells.p_values(swaps, seed)
    rows = np.bincount(group)
    means = np.bincount(group, weights=first) / rows, np.bincount(group, weights=second) / rows
    held_by = np.diff([*cells.starts, len(cells.cluster)])
    found = []
    for at, name in enumerate(names):
        interval = interval_of(draws[:, at]) if held_by[at] > 1 else Interval(None, None)
        one, other = float(means[0][at]), float(means[1][at])
        found.append(
            GroupDifference(
                name,
                one,
                other,
                one - other,
                *interval,
                p=float(p[at]),
                rows=int(rows[at]),
                clusters=int(held_by[at]),
            )
        )
    return found


class _Cells(NamedTuple):
    """Rows summed up over every (group, cluster) pair that occurs, sorted by group."""

    cluster: NDArray[np.intp]  # [cells]
    starts: NDArray[np.intp]  # [groups], each group's first cell
    counts: NDArray[np.float64]  # [cells], rows of the cell
    sums: NDArray[np.float64]  # [cells], of the rows' differences
    clusters: int

    @classmethod
    def of(
        cls,
        differences: NDArray[np.float64],
        cluster: NDArray[np.intp],
        group: NDArray[np.intp],
    ) -> _Cells:
        clusters = int(cluster.max()) + 1
        keys, cell = np.unique(group * clusters + cluster, return_inverse=True)
        return cls(
            cluster=keys % clusters,
            starts=np.unique(keys // clusters, return_index=True)[1],
            counts=np.bincount(cell).astype(np.float64),
            sums=np.bincount(cell, weights=differences).astype(np.float64),
            clusters=clusters,
        )

    def draws(self, resamples: int, seed: int) -> NDArray[np.float64]:
        """Mean differences ``[resamples, groups]``; NaN where a resample lacks the group."""
        found = []
        for weights in _chunks(resample_weights(self.clusters, resamples, seed), len(self.cluster)):
            drawn = weights[:, self.cluster]
            rows = np.add.reduceat(drawn * self.counts, self.starts, axis=1)
            totals = np.add.reduceat(drawn * self.sums, self.starts, axis=1)
            found.append(np.divide(totals, rows, out=np.full_like(rows, np.nan), where=rows > 0))
        return np.concatenate(found)

    def p_values(self, swaps: int, seed: int) -> NDArray[np.float64]:
        """Two-sided, of the randomisation test ``[groups]``."""
        total = np.abs(np.add.reduceat(self.sums, self.starts))
        least = total - _ROUNDING * np.add.reduceat(np.abs(self.sums), self.starts)
        as_far = np.zeros(len(self.starts))
        for signs in _chunks(_signs(self.clusters, swaps, seed), len(self.cluster)):
            swapped = np.add.reduceat(signs[:, self.cluster] * self.sums, self.starts, axis=1)
            as_far += np.count_nonzero(np.abs(swapped) >= least, axis=0)
        return (as_far + 1) / (swaps + 1)


def _signs(clusters: int, swaps: int, seed: int) -> Iterator[NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    for _ in range(swaps):
        yield np.where(generator.random(clusters) < 0.5, -1.0, 1.0)


def _chunks(rows: Iterator[NDArray[np.float64]], cells: int) -> Iterator[NDArray[np.float64]]:
    """The rows stacked, as many at once as stay in a core's cache."""
    at_once = max(1, _CELLS_AT_ONCE // cells)
    while chunk := [row for _, row in zip(range(at_once), rows, strict=False)]:
        yield np.stack(chunk)
