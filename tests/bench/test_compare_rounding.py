"""An encoder's rounding is no difference: not to `bench compare`, a rank or the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.gating.resamples import DECIMALS, pack, unpack
from bench.ranking import better_runs
from bench.score_tables import Drawn, Paired, paired
from metrics.bootstrap import ALIKE
from suites.base import Score
from tests.bench.compared_runs import (
    MAIN,
    Answered,
    Captured,
    answered,
    compared,
    edit,
    metric,
    only,
    stored,
)
from tests.bench.kinds import Bench

__all__ = ["answered"]

NOISE = 2e-7


def rounded_otherwise(workplace: Path, model: str) -> None:
    """Lower a stored run's similarities, as an encoder in other company may."""
    folder = stored(workplace, model).folder
    frame = pd.read_parquet(folder / "regions.parquet")
    frame[MAIN] -= NOISE
    frame.to_parquet(folder / "regions.parquet")
    draws = np.load(folder / "draws.npy")
    at = [f"{score.metric}/{score.protocol}" for score in stored(workplace, model).table]
    draws[at.index(MAIN)] -= np.float32(NOISE)
    np.save(folder / "draws.npy", draws)


def main(bench: Bench, capsys: Captured, name: str = "semantic_similarity") -> dict[str, Any]:
    return metric(only(compared(bench, capsys, "a", "b", "--no-page")), name)


def test_one_other_answer_is_as_significant_with_rounding_as_without(
    bench: Bench, answered: Answered, workplace: Path, capsys: Captured
) -> None:
    answered("a", {})
    answered("b", {"0002/0": "sun"})
    without = main(bench, capsys)
    rounded_otherwise(workplace, "b")
    found = main(bench, capsys)
    assert found["basis"] == "resamples"
    assert (found["p"], found["high"], found["verdict"]) == (without["p"], 0, "undecided")
    assert found["p"] > 0.5


@pytest.mark.parametrize("score", ["semantic_similarity", "semantic_similarity[macro]"])
def test_regions_are_compared_without_rounding(
    bench: Bench, answered: Answered, workplace: Path, capsys: Captured, score: str
) -> None:
    answered("a", {})
    answered("b", {"0002/0": "sun"})
    folder = stored(workplace, "b").folder
    edit(folder / "scores.json", lambda values: values.update(samples=[]))
    without = main(bench, capsys, score)
    rounded_otherwise(workplace, "b")
    found = main(bench, capsys, score)
    assert found["basis"] == "regions"
    named = ("difference", "low", "high", "p")
    assert [found[name] for name in named] == pytest.approx([without[name] for name in named])
    assert (found["high"], found["verdict"]) == (0, "undecided")


def drawn(draws: np.ndarray[Any, Any]) -> Drawn:
    return Drawn(Score("m", "p", 0.5, None, None, 1), draws.astype(np.float64), "images")


def verdicts(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> tuple[Paired, Paired]:
    """The comparison of two runs' draws, and the gate's, which reads one from a baseline file."""
    gated = (drawn(unpack(pack(draws))) for draws in (first, second))
    return paired(drawn(first), drawn(second)), paired(*gated)


@pytest.mark.parametrize("lower", range(20))
def test_the_same_answers_are_alike_to_all_who_compare(lower: int) -> None:
    generator = np.random.default_rng(lower)
    first = generator.normal(0.6, 0.02, 1000).astype(np.float32)
    second = (first + generator.uniform(0.5, 1, 1000) * 9e-7).astype(np.float32)
    assert better_runs(np.stack([first, second])) == [0, 0]
    for found in verdicts(first, second):
        assert (found.low, found.high, found.p) == (0, 0, 1)


def test_twice_as_much_is_a_difference_to_all_who_compare() -> None:
    first = np.random.default_rng(0).normal(0.6, 0.02, 1000).astype(np.float32)
    second = (first + 3.5e-6).astype(np.float32)
    assert better_runs(np.stack([first, second])) == [1, 0]
    for found in verdicts(first, second):
        assert found.low is not None
        assert found.low > 0
        assert found.p == pytest.approx(2 / 1001)


@settings(deadline=None)
@given(st.integers(-(10**DECIMALS), 10**DECIMALS - 2))
def test_one_in_a_baseline_files_last_decimal_is_alike_and_two_are_not(units: int) -> None:
    one, next_, after = np.array([units, units + 1, units + 2]) / 10**DECIMALS
    assert abs(next_ - one) <= ALIKE < abs(after - one)


@given(st.floats(0, 1), st.floats(-9e-7, 9e-7))
def test_scores_that_are_alike_do_not_differ(value: float, noise: float) -> None:
    for other, expected in ((value + noise, 0), (value + 3e-6, pytest.approx(3e-6))):
        scores = (Score("m", "p", v, None, None, 1) for v in (value, other))
        found = paired(*(Drawn(score, None, "") for score in scores))
        assert found.difference == expected
