"""Exact matches, and means per group."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.aggregate import group_means
from metrics.matching import canonical, exact_match


@pytest.mark.parametrize(
    ("prediction", "names", "matches"),
    [
        ("Traffic  light", ["traffic light"], True),
        (" dog ear", ["dog  ear"], True),
        ("hound", ["dog", "hound"], True),
        ("dog.", ["dog"], False),
        ("dogs", ["dog"], False),
        ("light traffic", ["traffic light"], False),
        ("", ["dog"], False),
        ("", [""], False),
        (" ", [" "], False),
        ("dog", [], False),
    ],
)
def test_a_match_is_exact_up_to_case_and_blanks(
    prediction: str, names: list[str], matches: bool
) -> None:
    assert exact_match(prediction, names) is matches


def test_canonical_form_keeps_everything_but_case_and_blanks() -> None:
    assert canonical(" T-Shirt,\u00a0(blue) \n") == "t-shirt, (blue)"


def test_group_means_average_each_column_within_each_group() -> None:
    values = np.array([[1.0, 0.0], [3.0, 1.0], [5.0, 1.0]])
    means, counts = group_means(values, np.array([0, 2, 0]))
    assert counts.tolist() == [2, 0, 1]
    np.testing.assert_array_equal(means, [[3.0, 0.5], [np.nan, np.nan], [3.0, 1.0]])


def test_no_row_makes_no_group() -> None:
    means, counts = group_means(np.empty((0, 2)), np.empty(0, np.intp))
    assert means.shape == (0, 2)
    assert counts.shape == (0,)
