"""The vectorised cluster bootstrap is the textbook loop, and its intervals cover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metrics.bootstrap import (
    ALIKE,
    Difference,
    Interval,
    bootstrap_draws,
    difference_of_draws,
    interval_of,
    paired_difference,
    resample_weights,
)
from metrics.errors import MetricError

Floats = NDArray[np.float64]


def intervals(
    values: Floats, clusters: NDArray[Any], groups: NDArray[Any] | None = None, **drawn: int
) -> list[Interval]:
    draws = bootstrap_draws(values, clusters, groups, **drawn)
    return [interval_of(column) for column in draws.T]


def naive_scores(
    values: list[float],
    images: list[str],
    categories: list[str] | None,
    resamples: int,
    seed: int,
) -> list[float]:
    """Gather the rows of every drawn image, one by one, and average them in plain Python."""
    names = sorted(set(images))
    generator = np.random.default_rng(seed)
    scores = []
    for _ in range(resamples):
        drawn = [names[i] for i in generator.integers(len(names), size=len(names))]
        rows = [row for name in drawn for row, image in enumerate(images) if image == name]
        groups: dict[str, list[float]] = {}
        for row in rows:
            groups.setdefault(categories[row] if categories else "all", []).append(values[row])
        means = [math.fsum(group) / len(group) for group in groups.values()]
        scores.append(math.fsum(means) / len(means))
    return scores


def example(seed: int = 0) -> tuple[list[float], list[str], list[str]]:
    """Values, images (one to four rows each, shuffled) and skewed categories."""
    rng = np.random.default_rng(seed)
    images = rng.permutation(np.repeat(np.arange(14), rng.integers(1, 5, size=14)))
    values = rng.random(len(images)) + images / 14
    categories = np.minimum(rng.geometric(0.4, size=len(images)), 5)
    return values.tolist(), [f"image {i}" for i in images], [f"name {c}" for c in categories]


@pytest.mark.parametrize("macro", [False, True])
def test_intervals_are_those_of_the_plain_loop(macro: bool) -> None:
    values, images, categories = example()
    groups = np.array(categories) if macro else None
    (interval,) = intervals(
        np.array(values)[:, None], np.array(images), groups, resamples=200, seed=3
    )
    scores = naive_scores(values, images, categories if macro else None, 200, seed=3)
    assert interval == pytest.approx(np.percentile(scores, [2.5, 97.5]), abs=1e-12)


@pytest.mark.parametrize("macro", [False, True])
def test_a_paired_difference_is_that_of_the_plain_loop(macro: bool) -> None:
    values, images, categories = example()
    other = [value - 0.4 + 0.9 * (row % 3 == 0) for row, value in enumerate(values)]
    found = paired_difference(
        np.array(values),
        np.array(other),
        np.array(images),
        np.array(categories) if macro else None,
        resamples=200,
        seed=3,
    )
    gaps = [a - b for a, b in zip(values, other, strict=True)]
    scores = np.array(naive_scores(gaps, images, categories if macro else None, 200, seed=3))
    low, high = np.percentile(scores, [2.5, 97.5])
    tail = min(np.sum(scores <= ALIKE), np.sum(scores >= -ALIKE))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    assert found.p == pytest.approx(min(1, 2 * (tail + 1) / 201))
    assert found.p is not None
    assert 0.01 < found.p < 1
    assert (found.rows, found.clusters) == (len(values), 14)


def test_the_difference_itself_is_that_of_the_two_means() -> None:
    values, images, categories = example()
    other = np.random.default_rng(1).random(len(values))
    plain = paired_difference(np.array(values), other, np.array(images), resamples=2)
    assert plain.value == pytest.approx(np.mean(values) - np.mean(other), abs=1e-12)

    macro = paired_difference(
        np.array(values), other, np.array(images), np.array(categories), resamples=2
    )
    rows = {c: [i for i, name in enumerate(categories) if name == c] for c in set(categories)}
    expected = np.mean([np.mean(np.array(values)[r]) - np.mean(other[r]) for r in rows.values()])
    assert macro.value == pytest.approx(expected, abs=1e-12)


def test_the_interval_of_independent_rows_is_the_normal_one() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, size=2500)
    (interval,) = intervals(values[:, None], np.arange(2500), resamples=4000)
    margin = 1.96 * values.std() / math.sqrt(2500)
    assert interval == pytest.approx((values.mean() - margin, values.mean() + margin), abs=0.006)


def test_repeating_every_row_within_its_image_adds_no_information() -> None:
    values = np.random.default_rng(0).random(300)
    once = intervals(values[:, None], np.arange(300))
    repeated = intervals(np.repeat(values, 9)[:, None], np.repeat(np.arange(300), 9))
    assert repeated[0] == pytest.approx(once[0], abs=1e-12)


def clustered(rng: np.random.Generator, images: int) -> tuple[Floats, NDArray[np.intp]]:
    """Rows that share their image's effect, of true mean 0."""
    of_image = np.repeat(np.arange(images), rng.integers(1, 8, size=images))
    return rng.normal(size=images)[of_image] + rng.normal(size=len(of_image)), of_image


def test_intervals_of_dependent_rows_cover_the_truth_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for seed in range(300):
        values, images = clustered(rng, 60)
        (found,) = intervals(values[:, None], images, resamples=200, seed=seed)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0 <= found.high
    assert 0.90 <= covered / 300 <= 0.98


def test_equal_runs_are_called_different_one_time_in_twenty() -> None:
    rng = np.random.default_rng(8)
    called = 0
    for seed in range(300):
        values, images = clustered(rng, 60)
        found = paired_difference(values, np.zeros_like(values), images, resamples=200, seed=seed)
        assert found.p is not None
        called += found.p < 0.05
    assert 0.01 <= called / 300 <= 0.10


def test_a_run_does_not_differ_from_itself() -> None:
    values, images, _ = example()
    found = paired_difference(np.array(values), np.array(values), np.array(images))
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def one_other_answer() -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Scores of two runs that differ in one row, and an encoder's rounding of the second's."""
    first = np.random.default_rng(0).random(40)
    second = first - np.where(np.arange(40) == 7, 0.2, 0)
    return first, second, np.arange(40)


@pytest.mark.parametrize("noise", [-9e-7, -5e-8, 5e-8, 9e-7])
@pytest.mark.parametrize("macro", [False, True])
def test_rounding_in_every_row_is_no_difference(noise: float, macro: bool) -> None:
    first, second, images = one_other_answer()
    groups = images % 3 if macro else None
    without = paired_difference(first, second, images, groups)
    found = paired_difference(first, second - noise * (images != 7), images, groups)
    assert found[:4] == pytest.approx(without[:4], abs=1e-12)
    assert found.low == 0
    assert found.p is not None
    assert found.p > 0.5


@pytest.mark.parametrize("noise", [-9e-7, -5e-8, 5e-8, 9e-7])
def test_rounding_in_every_draw_is_no_difference(noise: float) -> None:
    first, second, images = one_other_answer()
    draws = bootstrap_draws(np.stack([first, second], axis=1), images).T
    without = paired_difference(first, second, images)
    (low, high), p = difference_of_draws(draws[0], draws[1] - noise)
    assert (low, high) == pytest.approx((without.low, without.high), abs=1e-6)
    assert (low, p) == (0, without.p)


def test_rows_that_cancel_are_a_tie_however_they_add_up() -> None:
    first = np.array([0.1, 0.2, 0.0, 0.7, 0.1, 0.2])
    found = paired_difference(first, first[[2, 0, 1, 3, 4, 5]], np.array([0, 0, 0, 1, 2, 3]))
    assert (found.low, found.high, found.p) == (0, 0, 1)


def test_more_than_rounding_is_a_difference() -> None:
    draws = np.random.default_rng(0).random(200)
    (low, _), p = difference_of_draws(draws + 1.1e-6, draws)
    assert low == pytest.approx(1.1e-6)
    assert p == pytest.approx(2 / 201)


def test_draws_that_lack_the_score_stay_without_it() -> None:
    draws = np.array([0.5, np.nan, 0.25, np.nan])
    assert difference_of_draws(draws, draws) == (Interval(0, 0), 1)
    assert difference_of_draws(draws[[1, 3]], draws[[1, 3]]) == (Interval(None, None), None)


def test_a_constant_advantage_has_the_smallest_p() -> None:
    values, images, _ = example()
    found = paired_difference(np.array(values) + 0.1, np.array(values), np.array(images))
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))
    assert found.p == pytest.approx(2 / 1001)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 3)), min_size=1, max_size=20))
def test_swapping_the_runs_turns_the_sign_and_keeps_p(rows: list[tuple[float, int]]) -> None:
    first, images = np.array([v for v, _ in rows]), np.array([i for _, i in rows])
    one = paired_difference(first, np.zeros_like(first), images, resamples=50)
    other = paired_difference(np.zeros_like(first), first, images, resamples=50)
    assert one.value == pytest.approx(-other.value if other.value is not None else None)
    assert one.p == other.p
    if one.low is not None and other.high is not None:
        assert one.low == pytest.approx(-other.high, abs=1e-12)


def test_rows_that_one_run_lacks_are_left_out() -> None:
    first = np.array([0.5, np.nan, 1.0, 0.0])
    second = np.array([0.0, 1.0, np.nan, 0.0])
    found = paired_difference(first, second, np.array(["a", "b", "c", "d"]), resamples=20)
    assert (found.value, found.rows, found.clusters) == (0.25, 2, 2)


def test_nothing_in_common_is_no_difference() -> None:
    nothing = paired_difference(np.array([np.nan]), np.array([1.0]), np.array(["a"]))
    assert nothing == Difference(None, None, None, None, 0, 0)


def test_one_image_has_a_value_but_no_interval() -> None:
    values, images = np.array([0.0, 1.0]), np.array(["a", "a"])
    assert intervals(values[:, None], images) == [Interval(None, None)]
    found = paired_difference(values, np.zeros(2), images)
    assert found == Difference(0.5, None, None, None, 2, 1)


def test_no_row_has_no_interval() -> None:
    nothing = np.empty((0, 2))
    assert intervals(nothing, np.array([])) == [Interval(None, None)] * 2


def test_a_column_has_the_interval_it_has_alone() -> None:
    values, images, categories = example()
    columns = np.stack([values, np.random.default_rng(0).random(len(values))], axis=1)
    together = intervals(columns, np.array(images), np.array(categories), resamples=50)
    alone = [
        intervals(columns[:, [c]], np.array(images), np.array(categories), resamples=50)
        for c in (0, 1)
    ]
    assert together == [alone[0][0], alone[1][0]]


def test_the_order_of_rows_does_not_matter() -> None:
    values, images, categories = example()
    order = np.random.default_rng(0).permutation(len(values))
    one = intervals(np.array(values)[:, None], np.array(images), np.array(categories))
    other = intervals(
        np.array(values)[order, None], np.array(images)[order], np.array(categories)[order]
    )
    assert one[0] == pytest.approx(other[0], abs=1e-12)


def test_the_seed_decides_the_resamples() -> None:
    values, images, _ = example()
    columns, clusters = np.array(values)[:, None], np.array(images)
    assert intervals(columns, clusters) == intervals(columns, clusters, seed=0)
    assert intervals(columns, clusters) != intervals(columns, clusters, seed=1)


@given(st.integers(1, 50), st.integers(0, 2**32))
def test_every_resample_draws_as_many_images_as_there_are(clusters: int, seed: int) -> None:
    for weights in resample_weights(clusters, 3, seed):
        assert weights.shape == (clusters,)
        assert weights.sum() == clusters


def test_more_resamples_go_on_from_fewer() -> None:
    few = list(resample_weights(9, 3, seed=5))
    many = list(resample_weights(9, 6, seed=5))
    np.testing.assert_array_equal(few, many[:3])


def test_arrays_that_are_not_aligned_are_refused() -> None:
    values = np.zeros((3, 1))
    with pytest.raises(MetricError, match="3 rows of scores but 2 clusters"):
        intervals(values, np.zeros(2))
    with pytest.raises(MetricError, match="3 rows of scores but 4 groups"):
        intervals(values, np.zeros(3), np.zeros(4))
    with pytest.raises(MetricError, match="cannot pair"):
        paired_difference(np.zeros(3), np.zeros(2), np.zeros(3))
    with pytest.raises(MetricError, match="3 rows of scores but 2 clusters"):
        paired_difference(np.zeros(3), np.zeros(3), np.zeros(2))
