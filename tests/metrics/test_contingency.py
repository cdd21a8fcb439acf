"""Counting shared pixels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from metrics.contingency import overlaps, positions
from metrics.errors import MetricError

labels = st.sampled_from([0, 1, 2, 255, 256**3 - 1, 2**32 - 1])


@given(
    array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=8).flatmap(
        lambda shape: st.tuples(
            arrays(np.uint32, shape, elements=labels), arrays(np.int64, shape, elements=labels)
        )
    )
)
def test_every_pair_of_labels_is_counted_pixel_by_pixel(
    maps: tuple[NDArray[np.uint32], NDArray[np.int64]],
) -> None:
    first, second = maps
    counted = Counter(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))

    shared = overlaps(first, second)

    pairs = list(zip(shared.first.tolist(), shared.second.tolist(), strict=True))
    assert pairs == sorted(counted)
    assert shared.pixels.tolist() == [counted[pair] for pair in pairs]


def test_views_are_read_in_their_own_order() -> None:
    grid = np.arange(12).reshape(3, 4) % 3
    assert all(
        np.array_equal(a, b)
        for a, b in zip(
            overlaps(grid.T[::-1], grid.T[::-1]), overlaps(grid.copy(), grid.copy()), strict=True
        )
    )


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), r"\(2, 3\) and \(3, 2\)"),
        (np.zeros(2), np.zeros(2, int), "float64"),
        (np.zeros(2, bool), np.zeros(2, int), "bool"),
        (np.array([0, -1]), np.zeros(2, int), "-1"),
        (np.zeros(2, int), np.array([0, 2**32]), "4294967296"),
    ],
)
def test_maps_that_cannot_be_overlaid_are_refused(
    first: NDArray[np.int64], second: NDArray[np.int64], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        overlaps(first, second)


def test_positions_are_found_in_unsorted_labels_and_missing_ones_said() -> None:
    assert positions(np.array([9, 4, 5, 0]), np.array([4, 9, 1])).tolist() == [1, 0, -1, -1]
    assert positions(np.array([9]), np.array([], np.int64)).tolist() == [-1]
