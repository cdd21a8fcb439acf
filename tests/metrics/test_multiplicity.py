"""Adjusted p-values against the paper's own example and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from metrics.multiplicity import benjamini_hochberg

BENJAMINI_HOCHBERG_1995 = (
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
)
"""Section 3.2: fifteen hypotheses on two thrombolytic treatments, four of them rejected."""


def test_the_papers_example_rejects_four_hypotheses_at_5_per_cent() -> None:
    adjusted = benjamini_hochberg(np.array(BENJAMINI_HOCHBERG_1995))
    assert np.count_nonzero(adjusted <= 0.05) == 4
    # p(4) = 0.0095 is below 4/15 × 0.05 = 0.0133, as the paper works it out.
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)
    assert np.all(adjusted >= np.array(BENJAMINI_HOCHBERG_1995))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 7, 1203])
def test_any_order_and_ties_agree_with_scipy(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    p = np.round(generator.random(count) ** 3, 2 + seed % 3).clip(1e-4, 1)
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p, method="bh"))


def test_no_comparison_needs_no_adjustment() -> None:
    assert len(benjamini_hochberg(np.array([]))) == 0


def test_of_chance_alone_hardly_ever_anything_is_significant() -> None:
    generator = np.random.default_rng(0)
    found = [np.any(benjamini_hochberg(generator.random(50)) <= 0.05) for _ in range(400)]
    assert np.mean(found) < 0.09
