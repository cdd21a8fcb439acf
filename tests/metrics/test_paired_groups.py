"""Differences group by group against a loop over the definition."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from metrics.bootstrap import interval_of, paired_difference, resample_weights
from metrics.errors import MetricError
from metrics.paired_groups import group_differences

Floats = NDArray[np.float64]


def table(
    seed: int, rows: int = 300, images: int = 40
) -> tuple[Floats, Floats, NDArray[np.str_], NDArray[np.str_]]:
    generator = np.random.default_rng(seed)
    first = generator.random(rows)
    second = np.where(generator.random(rows) < 0.3, first, generator.random(rows))
    first[generator.random(rows) < 0.05] = np.nan
    second[generator.random(rows) < 0.05] = np.nan
    clusters = generator.integers(images, size=rows).astype(str)
    groups = np.array(["cat", "dog", "egg", "fig", "rare"])[
        np.minimum(generator.geometric(0.4, rows) - 1, 4)
    ]
    return first, second, clusters, groups


@pytest.mark.parametrize("seed", range(4))
def test_means_and_intervals_are_those_of_a_loop_over_resampled_images(seed: int) -> None:
    first, second, clusters, groups = table(seed)
    found = {row.group: row for row in group_differences(first, second, clusters, groups, swaps=9)}
    kept = ~(np.isnan(first) | np.isnan(second))
    names = np.unique(clusters[kept])
    assert sorted(found) == sorted(np.unique(groups[kept]))
    for name, row in found.items():
        mine = kept & (groups == name)
        draws = []
        for weights in resample_weights(len(names), 1000, 0):
            drawn = [
                i
                for at, n in enumerate(weights)
                for _ in range(int(n))
                for i in np.flatnonzero(mine & (clusters == names[at]))
            ]
            draws.append(np.mean((first - second)[drawn]) if drawn else np.nan)
        expected = interval_of(np.array(draws))
        assert (row.low, row.high) == pytest.approx(expected, abs=1e-12)
        assert row.first == pytest.approx(first[mine].mean())
        assert row.second == pytest.approx(second[mine].mean())
        assert row.difference == pytest.approx((first - second)[mine].mean())
        assert (row.rows, row.clusters) == (mine.sum(), len(np.unique(clusters[mine])))


def test_one_group_of_all_rows_is_the_plain_paired_difference() -> None:
    first, second, clusters, groups = table(9)
    (row,) = group_differences(first, second, clusters, np.full(len(groups), "all"), swaps=9)
    whole = paired_difference(first, second, clusters)
    assert (row.difference, row.low, row.high) == pytest.approx(whole[:3])
    assert (row.rows, row.clusters) == (whole.rows, whole.clusters)


def test_p_is_the_share_of_all_swaps_that_differ_as_much() -> None:
    generator = np.random.default_rng(1)
    differences = generator.normal(0.3, 0.5, 8)
    p = group_differences(differences, np.zeros(8), np.arange(8), np.zeros(8), swaps=20_000)[0].p
    everything = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=8)]
    exact = np.mean(np.array(everything) >= abs(differences.sum()) - 1e-12)
    assert p == pytest.approx(exact, abs=0.01)
    assert 0.02 < exact < 0.5


@pytest.mark.parametrize(("images", "least"), [(1, 1.0), (2, 0.5), (3, 0.25), (5, 0.0625)])
def test_few_images_are_never_significant(images: int, least: float) -> None:
    """However large the difference, and however many regions the images have."""
    rows = images * 10
    (row,) = group_differences(
        np.ones(rows), np.zeros(rows), np.arange(rows) % images, np.zeros(rows)
    )
    assert row.p == pytest.approx(least, rel=0.1)
    assert (row.low is None) == (images == 1)


def test_many_images_that_agree_are_significant() -> None:
    (row,) = group_differences(np.ones(20), np.zeros(20), np.arange(20), np.zeros(20))
    assert row.p == pytest.approx(1e-4)
    assert (row.low, row.high) == (1.0, 1.0)


def test_runs_that_never_differ_have_p_1() -> None:
    scores = np.random.default_rng(0).random(50)
    rows = group_differences(scores, scores, np.arange(50), np.arange(50) % 3)
    assert [(row.difference, row.low, row.high, row.p) for row in rows] == [(0, 0, 0, 1)] * 3


def test_swapping_the_runs_turns_every_difference_round() -> None:
    first, second, clusters, groups = table(5)
    there = group_differences(first, second, clusters, groups, swaps=99)
    back = group_differences(second, first, clusters, groups, swaps=99)
    for one, other in zip(there, back, strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)))
        assert one.p == other.p


def test_of_chance_alone_no_more_than_5_per_cent_are_significant() -> None:
    """Two or three regions of each image belong together, as they do in pictures."""
    generator = np.random.default_rng(2)
    p = []
    for seed in range(150):
        images = np.repeat(np.arange(12), generator.integers(1, 4, 12))
        shared = generator.normal(size=12)[images]
        rows = group_differences(
            shared + generator.normal(size=len(images)) * 0.3,
            np.zeros(len(images)),
            images,
            np.zeros(len(images)),
            swaps=199,
            resamples=2,
            seed=seed,
        )
        p.append(rows[0].p)
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_nothing_to_compare_is_no_group() -> None:
    nothing = np.full(3, np.nan)
    assert group_differences(nothing, np.zeros(3), np.arange(3), np.arange(3)) == []


def test_arrays_that_are_not_aligned_are_refused() -> None:
    with pytest.raises(MetricError, match="cannot pair 3 and 3 scores in 2 clusters"):
        group_differences(np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(3))
