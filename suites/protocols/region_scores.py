"""From values of single regions to the numbers of a board: means, intervals, categories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.aggregate import group_means
from metrics.bootstrap import bootstrap_draws
from suites.protocols.resampled import Resampled, resampled, sample_of

_CATEGORY_KEYS = ["category", "metric", "protocol"]


class Bootstrap(NamedTuple):
    """How intervals are resampled."""

    resamples: int
    seed: int


def column_name(metric: str, protocol: str) -> str:
    """Name of a region-level column."""
    return f"{metric}/{protocol}"


def mean_scores(
    values: pd.DataFrame,
    images: pd.Series[str],
    categories: NDArray[np.intp] | None,
    bootstrap: Bootstrap,
    suffix: str = "",
) -> list[Resampled]:
    """One score per column: the mean over regions, or over categories (macro).

    Args:
        values: columns ``metric/protocol``, one row per region that counts, without NaN.
        images: the regions' images, aligned.
        categories: the regions' categories ``[regions]`` for macro scores, else ``None``.
        bootstrap: resampling of images for the intervals.
        suffix: appended to the metric's name.

    Returns:
        Scores counting regions, or categories where they are averaged; without regions their
        value is ``None``.
    """
    columns = values.to_numpy()
    groups = np.zeros(len(columns), np.intp) if categories is None else categories
    means, sizes = group_means(columns, groups)
    present = sizes > 0
    clusters = pd.factorize(images, sort=True)[0]
    draws = bootstrap_draws(columns, clusters, groups, **bootstrap._asdict())
    sample = sample_of(images, bootstrap.seed)
    scores = []
    for name, column, drawn in zip(values.columns, means.T, draws.T, strict=True):
        metric, protocol = name.split("/")
        value = float(column[present].mean()) if present.any() else None
        count = len(columns) if categories is None else int(present.sum())
        scores.append(
            resampled(metric + suffix, protocol, value, count=count, draws=drawn, sample=sample)
        )
    return scores


def category_means(categories: pd.Series[str], values: pd.DataFrame) -> pd.DataFrame:
    """Means per category in long form; a category without a region that counts has no row.

    Args:
        categories: the regions' categories.
        values: columns ``metric/protocol``, aligned; NaN where a region does not count.

    Returns:
        ``category``, ``metric``, ``protocol``, ``value``, ``count``, sorted by the first three.
    """
    codes, names = pd.factorize(categories, sort=True)
    parts = []
    for name in values:
        column = values[name].to_numpy()
        counted = ~np.isnan(column)
        means, counts = group_means(column[counted, None], codes[counted])
        present = np.flatnonzero(counts)
        metric, protocol = str(name).split("/")
        parts.append(
            pd.DataFrame(
                {
                    "category": names[present],
                    "metric": metric,
                    "protocol": protocol,
                    "value": means[present, 0],
                    "count": counts[present],
                }
            )
        )
    long = pd.concat(parts).astype(dict.fromkeys(_CATEGORY_KEYS, "str"))
    return long.sort_values(_CATEGORY_KEYS, ignore_index=True)
