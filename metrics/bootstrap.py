"""Cluster bootstrap: intervals and paired comparisons when rows of one image depend on each other.

Whole clusters (images) are drawn with replacement and every score is computed anew from the rows
of the drawn clusters, so that the dependence within an image stays in each resample (the
"cluster bootstrap" of Field & Welsh, "Bootstrapping clustered data", J. R. Statist. Soc. B
69(3), 2007). Intervals are percentile intervals (Efron & Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13). They are too narrow with only a handful of images, and absent
with fewer than two.

Memory grows with the rows, not with rows × resamples: clusters are summed up first, and each
resample is one weighted sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metrics.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000
DRAWING = 1
"""Version of how a seed draws images; scores of equal resamples pair under equal versions only."""
TAIL = 2.5
"""Per cent on either side of a 95 % interval."""
ALIKE = 1e-6 + 1e-12
"""Scores that differ by no more are the same: an encoder's rounding may be all of it.

The trace above 1e-6 lets scores of six decimals differ by one in the last, however floating point
writes it.
"""

_CELLS_AT_ONCE = 1 << 16  # resampled together: few enough to stay in a core's cache


class Interval(NamedTuple):
    """A 95 % interval; ``None`` where fewer than two clusters leave nothing to resample."""

    low: float | None
    high: float | None


class Difference(NamedTuple):
    """First minus second score on the same rows: value, 95 % interval, two-sided p.

    ``rows`` and ``clusters`` say how much was compared; ``value`` is ``None`` for no rows, and
    interval and ``p`` for fewer than two clusters.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    rows: int
    clusters: int


def resample_weights(clusters: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each cluster is drawn, ``[clusters]``, once per resample.

    The r-th resample depends on ``clusters``, ``seed`` and r alone.
    """
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = generator.integers(clusters, size=clusters)
        yield np.bincount(drawn, minlength=clusters).astype(np.float64)


def bootstrap_draws(
    values: NDArray[np.float64],
    clusters: NDArray[Any],
    groups: NDArray[Any] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Resampled means of the columns, or means over groups (macro); see :func:`interval_of`.

    Args:
        values: ``[rows, columns]``, without NaN.
        clusters: ``[rows]``, whatever identifies a row's image.
        groups: ``[rows]``, whatever identifies a row's category; the score is then the mean of
            the group means, over the groups that occur in the resample.
        resamples: number of resamples.
        seed: equal seeds draw equal images, so that columns and calls share their resamples.

    Returns:
        ``[resamples, columns]``; no rows for fewer than two clusters.

    Raises:
        MetricError: the arrays are not aligned.
    """
    _check_aligned(len(values), clusters, groups)
    return _resampled_scores(_summed(values, clusters, groups), resamples, seed)


def interval_of(draws: NDArray[np.float64]) -> Interval:
    """The 95 % percentile interval of one score's draws ``[resamples]``.

    NaN is a resample without the score and does not count.
    """
    drawn = draws[~np.isnan(draws)]
    if not len(drawn):
        return Interval(None, None)
    low, high = np.percentile(drawn, [TAIL, 100 - TAIL])
    return Interval(float(low), float(high))


def without_rounding(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """The differences of scores, 0 for those of scores that are :data:`ALIKE`."""
    return np.where(np.abs(differences) <= ALIKE, 0.0, differences)


def difference_of_draws(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[Interval, float | None]:
    """95 % interval and two-sided p of first minus second score, from their draws alone.

    The draws are paired where both scores are of the same images and were drawn with one seed:
    the r-th resample then holds the same images for both. Of scores that are no means of rows
    (panoptic quality, mean IoU) this is the paired comparison; of others it is
    :func:`paired_difference`'s. Draws that are :data:`ALIKE` do not differ.

    Raises:
        MetricError: not as many draws of one as of the other.
    """
    if first.shape != second.shape:
        raise MetricError(f"cannot pair {len(first)} resamples with {len(second)}")
    differences = without_rounding(first - second)
    drawn = differences[~np.isnan(differences)]
    return interval_of(drawn), _p_value(drawn)


def paired_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    clusters: NDArray[Any],
    groups: NDArray[Any] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two runs on the same rows, clustered by image.

    Rows whose scores are :data:`ALIKE` do not differ, nor do such draws.

    The p-value inverts the percentile interval: twice the smaller share of resamples in which
    the difference is at most, or at least, zero (each count raised by one, as Davison & Hinkley,
    "Bootstrap Methods and their Application", 1997, section 4.2, so that it is never zero).

    Args:
        first: ``[rows]`` scores of one run; NaN where it has none.
        second: ``[rows]`` scores of the other, aligned; rows with a NaN on either side are left
            out.
        clusters: ``[rows]``, as in :func:`bootstrap_draws`.
        groups: ``[rows]``, likewise; compares macro scores.
        resamples: number of resamples.
        seed: seed of the resamples.

    Raises:
        MetricError: the arrays are not aligned.
    """
    if first.shape != second.shape:
        raise MetricError(f"cannot pair {first.shape} scores with {second.shape}")
    _check_aligned(len(first), clusters, groups)
    shared = ~(np.isnan(first) | np.isnan(second))
    if not shared.any():
        return Difference(None, None, None, None, 0, 0)
    cells = _summed(
        without_rounding(first - second)[shared, None],
        clusters[shared],
        None if groups is None else groups[shared],
    )
    value = float(cells.scores(np.ones((1, cells.clusters)))[0, 0])
    draws = without_rounding(_resampled_scores(cells, resamples, seed)[:, 0])
    low, high = interval_of(draws)
    return Difference(value, low, high, _p_value(draws), int(shared.sum()), cells.clusters)


class _Cells(NamedTuple):
    """Rows summed up over every (group, cluster) pair that occurs."""

    cluster: NDArray[np.intp]  # [cells], cells sorted by group
    starts: NDArray[np.intp]  # [groups], each group's first cell
    counts: NDArray[np.float64]  # [cells], rows of the cell
    sums: list[NDArray[np.float64]]  # by column, [cells]
    clusters: int

    def scores(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores ``[resamples, columns]`` with the clusters weighted ``[resamples, clusters]``.

        A score is the mean, over the groups that the resample holds, of their means.
        """
        drawn = weights[:, self.cluster]
        rows = np.add.reduceat(drawn * self.counts, self.starts, axis=1)
        shares = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0)
        shares /= np.count_nonzero(rows, axis=1, keepdims=True)
        totals = (np.add.reduceat(drawn * sums, self.starts, axis=1) for sums in self.sums)
        return np.stack([(total * shares).sum(axis=1) for total in totals], axis=1)


def _summed(
    values: NDArray[np.float64], clusters: NDArray[Any], groups: NDArray[Any] | None
) -> _Cells:
    names, cluster = np.unique(clusters, return_inverse=True)
    group = (
        np.zeros(len(values), np.intp)
        if groups is None
        else np.unique(groups, return_inverse=True)[1]
    )
    keys, cell = np.unique(group * len(names) + cluster, return_inverse=True)
    return _Cells(
        cluster=keys % len(names),
        starts=np.unique(keys // len(names), return_index=True)[1],
        counts=np.bincount(cell).astype(np.float64),
        sums=[np.bincount(cell, weights=column).astype(np.float64) for column in values.T],
        clusters=len(names),
    )


def _resampled_scores(cells: _Cells, resamples: int, seed: int) -> NDArray[np.float64]:
    """Scores ``[resamples, columns]``; empty where there is nothing to resample."""
    if cells.clusters < 2:
        return np.empty((0, len(cells.sums)))
    weights = resample_weights(cells.clusters, resamples, seed)
    at_once = max(1, _CELLS_AT_ONCE // len(cells.cluster))
    chunks = iter(lambda: list(islice(weights, at_once)), [])
    return np.concatenate([cells.scores(np.stack(chunk)) for chunk in chunks])


def _check_aligned(rows: int, clusters: NDArray[Any], groups: NDArray[Any] | None) -> None:
    for what, array in (("clusters", clusters), ("groups", groups)):
        if array is not None and len(array) != rows:
            raise MetricError(f"{rows} rows of scores but {len(array)} {what}; pass one per row")


def _p_value(scores: NDArray[np.float64]) -> float | None:
    if not len(scores):
        return None
    smaller = min(np.count_nonzero(scores <= 0), np.count_nonzero(scores >= 0))
    return float(min(1.0, 2 * (smaller + 1) / (len(scores) + 1)))
