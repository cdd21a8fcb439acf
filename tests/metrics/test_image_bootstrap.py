"""Intervals of scores that are computed from sums over images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from metrics.bootstrap import bootstrap_draws, interval_of
from metrics.image_bootstrap import ImageSums, image_draws

shapes = st.tuples(st.integers(1, 6), st.integers(1, 5))


@given(
    shapes.flatmap(
        lambda shape: st.tuples(
            arrays(np.int64, shape, elements=st.sampled_from([0, 0, 0, 1, 7])),
            arrays(np.int64, shape, elements=st.sampled_from([0, 0, 0, 2, 5])),
            arrays(np.int64, shape[:1], elements=st.integers(0, 3)),
        )
    )
)
def test_an_image_drawn_twice_counts_twice(
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    first, second, drawn = tables
    sums = ImageSums.of(first, second)
    repeated = [np.repeat(table, drawn, axis=0).sum(axis=0) for table in (first, second)]
    assert np.array_equal(sums.totals(drawn.astype(float)), repeated)
    assert np.array_equal(sums.totals(), [first.sum(axis=0), second.sum(axis=0)])


def test_draws_of_a_mean_are_those_of_the_cluster_bootstrap() -> None:
    rng = np.random.default_rng(0)
    values, images = rng.random(90), np.repeat(np.arange(30), 3)
    sums = np.bincount(images, weights=values)
    expected = bootstrap_draws(values[:, None], images, resamples=100, seed=4)
    draws = image_draws(
        lambda weights: np.array([weights @ sums / (3 * weights.sum())]), 30, resamples=100, seed=4
    )
    assert draws == pytest.approx(expected)


def test_resamples_without_the_score_do_not_count() -> None:
    # Only the first image has the score: it is 0.5 wherever it is defined.
    draws = image_draws(
        lambda weights: np.array([0.5 if weights[0] else np.nan, np.nan]), 3, resamples=50
    )
    assert [interval_of(column) for column in draws.T] == [(0.5, 0.5), (None, None)]
