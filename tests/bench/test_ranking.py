"""Ranks are what the definition says: 1 plus the runs whose paired interval lies above."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.board import gather
from bench.ranking import Contender, Rank, better_runs, ranks
from bench.score_tables import Drawn, paired
from bench.store import StoredRun, stored_runs
from metrics.bootstrap import ALIKE
from suites.base import Score
from tests.bench.kinds import Bench

Floats = NDArray[np.float32]


def by_definition(draws: Floats) -> list[int]:
    """Every pair of runs compared as `bench compare` does."""

    def drawn(row: Floats) -> Drawn:
        score = Score("m", "p", 0.5, None, None, 1)
        return Drawn(score, row.astype(np.float64), "images")

    def is_better(one: Floats, other: Floats) -> bool:
        low = paired(drawn(one), drawn(other)).low
        return low is not None and low > 0

    return [sum(is_better(row, other) for other in draws) for row in draws]


def scores(seed: int, runs: int, resamples: int, spread: float = 0.05) -> Floats:
    """Runs that share much of each resample's luck, as runs on the same images do."""
    generator = np.random.default_rng(seed)
    level = generator.uniform(0.4, 0.4 + spread, (runs, 1))
    luck = generator.normal(0, 0.02, resamples)
    own = generator.normal(0, 0.01, (runs, resamples))
    return (level + luck + own).astype(np.float32)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("resamples", [1, 2, 20, 39, 40, 41, 42, 81, 200, 1000])
def test_random_runs_are_ranked_by_the_definition(seed: int, resamples: int) -> None:
    draws = scores(seed, 25, resamples)
    assert better_runs(draws) == by_definition(draws)


@pytest.mark.parametrize("resamples", [40, 41, 200, 1000])
def test_pairs_that_hang_on_one_resample_are_ranked_by_the_definition(resamples: int) -> None:
    """From row to row one more resample falls behind the first row's, all around the threshold."""
    draws = np.zeros((60, resamples), np.float32)
    for behind in range(1, 60):
        draws[behind] = np.linspace(1e-7, 0.3, resamples)
        draws[behind, : min(behind - 1, resamples)] = -0.2 if behind % 2 else -1e-12
    expected = by_definition(draws)
    assert better_runs(draws) == expected
    assert 0 < expected[0] < 59


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_resamples_without_a_score_do_not_count(share: float) -> None:
    draws = scores(1, 30, 200)
    draws[np.random.default_rng(2).random(draws.shape) < share] = np.nan
    draws[3] = np.nan
    draws[4, 1:] = np.nan
    assert better_runs(draws) == by_definition(draws)


def near_ties(seed: int, runs: int, resamples: int) -> Floats:
    """Draws all about as far apart as rounding, some runs leading in nearly every resample."""
    generator = np.random.default_rng(seed)
    luck = generator.choice([-0.3, 0, 1e-6, 0.05, 0.9], resamples)
    step = generator.choice([0, 1e-7, 5e-7, 9e-7, 1e-6, 1.1e-6], (runs, resamples))
    lead = generator.choice([0, 8e-7, 1.2e-6, 2e-6, 3.5e-6, 5e-6], (runs, 1))
    leads = generator.random((runs, resamples)) < generator.choice([0.9, 0.97, 0.98, 1], (runs, 1))
    apart = step * generator.choice([0, 0.01, 1], (runs, 1)) + lead * leads
    return np.asarray(luck + apart, np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("resamples", [1, 2, 40, 41, 42, 81, 200, 1000])
def test_near_ties_are_ranked_by_the_definition(seed: int, resamples: int) -> None:
    draws = near_ties(seed, 25, resamples)
    expected = by_definition(draws)
    assert better_runs(draws) == expected
    assert len(set(expected)) > 2
    draws[np.random.default_rng(seed).random(draws.shape) < 0.01] = np.nan
    assert better_runs(draws) == by_definition(draws)


@pytest.mark.parametrize("resamples", [1, 41])
def test_floats_on_either_side_of_alike_are_ranked_by_the_definition(resamples: int) -> None:
    """Constant draws, around the first float that is no longer alike to the lowest."""
    for low in [-0.9, -1e-6, -1e-9, 0, 1e-9, 1e-6, 1e-3, *np.random.default_rng(0).random(20)]:
        levels = [np.float32(low), np.float32(np.float32(low).astype(np.float64) + ALIKE)]
        for _ in range(3):
            levels.append(np.nextafter(levels[-1], np.float32(2)))
            levels.insert(1, np.nextafter(levels[1], np.float32(-2)))
        draws = np.repeat(np.array(levels, np.float32)[:, None], resamples, axis=1)
        expected = by_definition(draws)
        assert better_runs(draws) == expected
        assert 0 < expected[0] < 7


def test_few_values_that_tie_often_are_ranked_by_the_definition() -> None:
    coarse = np.random.default_rng(3).integers(0, 4, (40, 200)).astype(np.float32)
    coarse[:, 6:] += np.arange(40, dtype=np.float32)[:, None] // 8 * 4
    assert better_runs(coarse) == by_definition(coarse)
    assert len(set(better_runs(coarse))) > 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("resamples", [3, 41, 200])
def test_runs_whose_middles_say_little_are_ranked_by_the_definition(
    seed: int, resamples: int
) -> None:
    """Draws that are skewed, in two heaps or mostly equal, alone and with others missing."""
    generator = np.random.default_rng(seed)
    heavy = generator.standard_cauchy((12, resamples))
    heaps = generator.choice([0.0, 1.0], (12, resamples)) + generator.normal(0, 0.01, (12, 1))
    equal = np.where(generator.random((12, resamples)) < 0.03, -5, generator.normal(0, 1, (12, 1)))
    draws = np.concatenate([heavy, heaps, equal]).astype(np.float32)
    assert better_runs(draws) == by_definition(draws)
    draws[::5, generator.integers(resamples)] = np.nan
    assert better_runs(draws) == by_definition(draws)


def test_identical_runs_share_their_rank() -> None:
    one, better = scores(0, 1, 1000)[0], scores(0, 1, 1000)[0] + np.float32(0.1)
    assert better_runs(np.stack([one, one, better, one])) == [1, 1, 0, 1]


@pytest.mark.parametrize("seed", range(6))
def test_runs_that_only_rounding_sets_apart_share_their_rank(seed: int) -> None:
    one = scores(seed, 1, 1000)[0]
    otherwise = one + np.linspace(1e-7, 9e-7, 5, dtype=np.float32)[:, None]
    assert better_runs(np.stack([one, *otherwise])) == [0] * 6


def contender(draws: Floats, column: str = "a", sample: str = "images") -> Contender:
    return Contender((column,), sample, draws)


def test_columns_are_ranked_apart() -> None:
    low, high = scores(0, 2, 100)[0], scores(0, 2, 100)[0] + np.float32(0.2)
    found = ranks({"x": contender(low, "a"), "y": contender(high, "b"), "z": contender(high, "a")})
    assert found == {"x": Rank(2, 2), "z": Rank(1, 2), "y": Rank(1, 1)}


def test_who_does_not_pair_with_the_rest_has_no_rank() -> None:
    low, high = scores(0, 2, 100)[0], scores(0, 2, 100)[0] + np.float32(0.2)
    found = ranks(
        {
            "low": contender(low),
            "high": contender(high),
            "fewer resamples": contender(high[:50]),
            "other images": contender(high, sample="others"),
            "one image": contender(np.full(100, np.nan, np.float32)),
        }
    )
    assert found == {"low": Rank(2, 2), "high": Rank(1, 2)}


def test_no_runs_have_no_ranks() -> None:
    assert ranks({}) == {}


def test_a_thousand_runs_are_ranked_in_seconds() -> None:
    contenders = {
        f"{column}/{number}": contender(row, str(column))
        for column in range(5)
        for number, row in enumerate(scores(column, 200, 1000, spread=0.3))
    }
    started = time.perf_counter()
    found = ranks(contenders)
    assert time.perf_counter() - started < 5
    assert len(found) == 1000
    assert max(place.rank or 0 for place in found.values()) > 100


YAML = """\
schema_version: 1
models:
  right: {adapter: fake, checkpoint: first}
  twin: {adapter: fake, checkpoint: second}
  wrong: {adapter: fake, checkpoint: third, settings: {tone: "no "}}
  partial: {adapter: fake, checkpoint: fourth, settings: {fails_on: "0003"}}
suites:
  stripes: {kind: fakes, root: pictures, images: 10}
mlflow: {enabled: false}
"""


@pytest.fixture
def run(bench: Bench, workplace: Path) -> Callable[..., dict[str, tuple[int | None, int]]]:
    """Run models, and tell the places they have on the board."""
    (workplace / "bench.yaml").write_text(YAML)

    def places(*words: str) -> dict[str, tuple[int | None, int]]:
        bench("run", "--no-report", *words)
        runs = gather(stored_runs(workplace / "runs")).runs
        cells = zip(runs["model"], runs["rank"], runs["ranked"], strict=True)
        return {m: (None if rank != rank else rank, ranked) for m, rank, ranked in cells}

    return places


Places = Callable[..., dict[str, tuple[int | None, int]]]


def test_the_board_ranks_whole_runs(run: Places) -> None:
    assert run() == {"right": (1, 3), "twin": (1, 3), "wrong": (3, 3), "partial": (None, 0)}


def test_part_of_a_suite_is_not_ranked(run: Places) -> None:
    assert run("--model", "right", "--model", "wrong", "--limit", "5") == {
        "right": (None, 0),
        "wrong": (None, 0),
    }


def test_a_scoring_without_resamples_is_not_ranked(run: Places, workplace: Path) -> None:
    run("--model", "right", "--model", "wrong", "--model", "twin")
    summary = _summary(workplace, "wrong")
    values = json.loads(summary.read_text())
    del values["samples"]
    summary.write_text(json.dumps(values))
    summary.with_name("draws.npy").unlink()
    places = run("--model", "right")
    assert places == {"right": (1, 2), "twin": (1, 2), "wrong": (None, 0)}


def test_another_encoder_is_another_column(run: Places, workplace: Path) -> None:
    run("--model", "right", "--model", "wrong")
    manifest = StoredRun(_summary(workplace, "wrong").parents[2]).manifest_path
    values = json.loads(manifest.read_text())
    for record in values["scorings"].values():
        record["encoder_digest"] = "cd" * 32
    manifest.write_text(json.dumps(values))
    assert run("--model", "right") == {"right": (1, 1), "wrong": (1, 1)}


def _summary(workplace: Path, model: str) -> Path:
    (path,) = (workplace / "runs" / "stripes" / model).glob("*/scores/*/scores.json")
    return path
