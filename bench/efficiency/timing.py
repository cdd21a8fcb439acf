"""How long to measure, when a model has warmed up, and what a list of seconds says."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.efficiency import records

AGREEMENT = 0.02  # successive windows of a stable warm-up differ by at most this
_RESAMPLES = 1000
_TAIL = 2.5  # per cent on either side of a 95 % interval


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured at every point.

    A warm-up takes at most ``windows`` windows of ``window`` queries. ``queries`` and ``seconds``
    are the least of all ``rounds`` together. ``scenes`` different pictures are asked in turn,
    ``repeats`` of them twice for the audit. A window of ``full`` holds every picture once: other
    pictures alone would make two windows differ.
    """

    name: records.Effort
    window: int
    windows: int
    queries: int
    seconds: float
    rounds: int
    scenes: int
    repeats: int

    @property
    def queries_a_round(self) -> int:
        """The least number of queries in each round."""
        return math.ceil(self.queries / self.rounds)

    @property
    def seconds_a_round(self) -> float:
        """The least time of each round."""
        return self.seconds / self.rounds


EFFORTS: Mapping[records.Effort, Effort] = {
    "quick": Effort("quick", 1, 2, queries=3, seconds=0.0, rounds=3, scenes=3, repeats=2),
    "full": Effort("full", 5, 20, queries=50, seconds=30.0, rounds=3, scenes=5, repeats=5),
}


class WarmUp(NamedTuple):
    """How many queries it took until two successive windows agreed, if they did."""

    queries: int
    stable: bool


def warm_up(query: Callable[[], float], effort: Effort) -> WarmUp:
    """Ask until the medians of two successive windows are within :data:`AGREEMENT`.

    Args:
        query: asks once and returns the seconds it took.
        effort: sizes of the windows, at least two of which are asked.
    """
    before = None
    for number in range(1, effort.windows + 1):
        median = statistics.median(query() for _ in range(effort.window))
        if before is not None and abs(median - before) <= AGREEMENT * before:
            return WarmUp(number * effort.window, True)
        before = median
    return WarmUp(effort.windows * effort.window, False)


class Summary(NamedTuple):
    """Percentiles of seconds, and the 95 % interval of the median."""

    p50: float
    p90: float
    p99: float
    low: float
    high: float


def summarise(seconds: Sequence[float], seed: int = 0) -> Summary:
    """Percentiles, and a percentile bootstrap of the median over the queries.

    See Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        seconds: of all queries, at least one.
        seed: equal seeds give equal intervals.
    """
    values = np.asarray(seconds, dtype=np.float64)
    p50, p90, p99 = np.percentile(values, [50, 90, 99])
    drawn = np.random.default_rng(seed).integers(len(values), size=(_RESAMPLES, len(values)))
    medians = np.median(values[drawn], axis=1)
    low, high = np.percentile(medians, [_TAIL, 100 - _TAIL])
    return Summary(float(p50), float(p90), float(p99), float(low), float(high))
