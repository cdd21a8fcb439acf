"""Scores with the resampled values their intervals are read from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metrics.bootstrap import DRAWING, interval_of
from suites.base import Draws, Score

_DIGITS = 16


class Resampled(NamedTuple):
    """One row of a scores' table with its resamples, ``[resamples]`` or empty."""

    score: Score
    draws: NDArray[np.float64]
    sample: str


def resampled(
    metric: str,
    protocol: str,
    value: float | None,
    *,
    count: int,
    draws: NDArray[np.float64],
    sample: str,
) -> Resampled:
    """A score whose interval is that of its ``draws``; ``sample`` is from :func:`sample_of`."""
    return Resampled(
        Score(metric, protocol, value, *interval_of(draws), count=count), draws, sample
    )


def sample_of(images: Iterable[str], seed: int) -> str:
    """Digest of what decides the resamples besides their number: images, in any order, and seed."""
    listed = json.dumps([DRAWING, seed, sorted(set(images))])
    return hashlib.sha256(listed.encode("ascii")).hexdigest()[:_DIGITS]


def draws_of(rows: Sequence[Resampled], resamples: int) -> Draws:
    """The draws of a whole table; NaN where a score has none."""
    values = np.full((len(rows), resamples), np.nan, np.float32)
    for at, row in enumerate(rows):
        values[at, : len(row.draws)] = row.draws
    return Draws(values, tuple(row.sample for row in rows))
