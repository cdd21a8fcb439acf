"""Intervals of scores that are no mean of rows, such as ratios of sums over images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from metrics.bootstrap import Interval, resample_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TAILS = (2.5, 97.5)  # per cent


def image_intervals(
    scores: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    images: int,
    *,
    resamples: int,
    seed: int = 0,
) -> list[Interval]:
    """95 % percentile intervals of scores of a set, whole images drawn with replacement.

    Args:
        scores: the scores ``[k]`` of the set in which image i occurs ``weights[i]`` times, for
            weights float64 ``[images]``; NaN where a resample has no such score, which then does
            not count.
        images: number of images.
        resamples: number of resamples.
        seed: equal seeds and numbers of images draw equal images, here and in
            :func:`metrics.bootstrap.bootstrap_intervals`.

    Returns:
        ``k`` intervals, of ``None`` for fewer than two images.
    """
    if images < 2:
        return [Interval(None, None)] * len(scores(np.ones(images)))
    drawn = np.stack([scores(weights) for weights in resample_weights(images, resamples, seed)])
    return [_interval(column[~np.isnan(column)]) for column in drawn.T]


def _interval(scores: NDArray[np.float64]) -> Interval:
    if not len(scores):
        return Interval(None, None)
    low, high = np.percentile(scores, _TAILS)
    return Interval(float(low), float(high))
