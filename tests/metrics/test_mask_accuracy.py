"""Mask classification accuracy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.bootstrap import bootstrap_draws, interval_of
from metrics.errors import MetricError
from metrics.mask_accuracy import mask_accuracy
from metrics.segment_tables import NO_CLASS

regions = st.lists(st.tuples(st.integers(0, 4), st.integers(NO_CLASS, 4)), max_size=40)


@given(regions)
def test_macro_is_the_mean_over_occurring_classes_and_micro_over_regions(
    pairs: list[tuple[int, int]],
) -> None:
    truth = np.array([true for true, _ in pairs], np.intp)
    predicted = np.array([given for _, given in pairs], np.intp)

    accuracy = mask_accuracy(truth, predicted, classes=6)

    shares = []
    for klass in range(6):
        answers = [given for true, given in pairs if true == klass]
        if answers:
            shares.append(Fraction(answers.count(klass), len(answers)))
            assert accuracy.per_class[klass] == float(shares[-1])
        else:
            assert np.isnan(accuracy.per_class[klass])
    if not pairs:
        assert accuracy[2:] == (None, None)
        return
    assert accuracy.macro == pytest.approx(float(sum(shares) / len(shares)))
    right = sum(true == given for true, given in pairs)
    assert accuracy.micro == float(Fraction(right, len(pairs)))


def test_rare_classes_weigh_as_much_as_frequent_ones() -> None:
    truth = np.array([0] * 99 + [1])
    accuracy = mask_accuracy(truth, np.zeros(100, np.intp), classes=3)
    assert (accuracy.macro, accuracy.micro) == (0.5, 0.99)
    assert accuracy.right.tolist() == [99, 0, 0]
    assert accuracy.total.tolist() == [99, 1, 0]


def test_the_grouped_bootstrap_gives_the_interval_of_the_macro_accuracy() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(3, size=200), rng.integers(3, size=200)
    macro = mask_accuracy(truth, predicted, classes=3).macro
    right = (truth == predicted).astype(float)[:, None]
    draws = bootstrap_draws(right, np.arange(200) // 4, truth, resamples=200)
    interval = interval_of(draws[:, 0])
    assert interval.low is not None
    assert interval.high is not None
    assert macro is not None
    assert interval.low < macro < interval.high


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([0, 1], [0], "1 classes for 2 segments"),
        ([3], [0], "class index 3"),
        ([-1], [0], "class index -1"),
        ([0], [3], "class index 3"),
    ],
)
def test_classes_that_are_none_are_refused(
    truth: list[int], predicted: list[int], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        mask_accuracy(np.array(truth), np.array(predicted), classes=3)
