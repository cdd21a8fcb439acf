"""A run's regions by their scores: which columns say how well each was named, and worst first."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.records import Run

ONE = 10_000
"""A score of 1 in the units that regions are ordered by."""

NO_SCORE = -(2**15)


def own_metrics(run: Run, regions: pd.DataFrame) -> tuple[str, ...]:
    """Metrics of the run's protocol that single regions have, the one to order by first.

    That is the main metric, or where it is one of the whole set (PQ), the first that a region has.
    """
    suffix = f"/{run.protocol}"
    found = [str(c).removesuffix(suffix) for c in regions.columns if str(c).endswith(suffix)]
    return tuple(sorted(found, key=lambda metric: metric != run.main_metric))


def units(values: pd.Series[float]) -> NDArray[np.int16]:
    """Scores in [-1, 1] as whole ten-thousandths; ``NO_SCORE`` where there is none."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    whole = np.rint(np.clip(numbers, -1, 1) * ONE)
    packed: NDArray[np.int16] = np.where(np.isnan(numbers), NO_SCORE, whole).astype(np.int16)
    return packed


def worst_order(scores: NDArray[np.int16]) -> NDArray[np.intp]:
    """Positions by ascending score, those without one last, equal ones as they stand."""
    keys = np.where(scores == NO_SCORE, ONE + 1, scores)
    order: NDArray[np.intp] = np.argsort(keys, kind="stable")
    return order


def worst_first(run: Run, regions: pd.DataFrame) -> pd.DataFrame:
    """The regions by their own score, equal ones by region id."""
    ordered = regions.sort_values("region_id", kind="stable", ignore_index=True)
    metrics = own_metrics(run, regions)
    if not metrics:
        return ordered
    return ordered.iloc[worst_order(units(ordered[f"{metrics[0]}/{run.protocol}"]))]
