"""``bench gate`` on stored runs, end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.bench.gating_runs import (
    FEW,
    MANY,
    Captured,
    answer,
    baseline,
    bootstrap,
    configured,
    forget,
    gate,
    regions,
)
from tests.bench.kinds import Bench
from tests.bench.test_startup import HEAVY, SCRIPT

__all__ = ["baseline"]


@pytest.mark.usefixtures("baseline")
def test_the_same_answers_pass(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, ())
    assert bench("gate", "--tolerance", "semantic_similarity=0") == 0
    out = capsys.readouterr().out
    assert "mine on stripes" in out
    assert "Passed: 1 score compared with" in out


@pytest.mark.usefixtures("baseline")
def test_a_worse_model_is_a_regression(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, MANY)
    assert bench("gate") == 1
    out = capsys.readouterr().out
    assert "Regression: semantic_similarity of mine on stripes is " in out
    assert " points worse, tolerated are 0.5 points." in out


@pytest.mark.usefixtures("baseline")
def test_a_drop_that_may_be_chance_is_inconclusive(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, FEW)
    assert bench("gate") == 3
    assert "the interval is wider than the tolerance" in capsys.readouterr().out
    assert bench("gate", "--allow-inconclusive") == 0
    assert "1 inconclusive (allowed)" in capsys.readouterr().out
    assert bench("gate", "--no-significance") == 1
    assert bench("gate", "--tolerance", "semantic_similarity=60 points") == 0
    assert bench("gate", "--tolerance", "semantic_similarity=60%") == 0
    configured(workplace, "{allow_inconclusive: true}")
    assert bench("gate") == 0


def test_one_image_tells_nothing(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, (), "--limit", "1")
    assert bench("baseline", "update", "mine") == 0
    assert "no gate can tell a drop from chance" in capsys.readouterr().err
    assert bench("gate") == 3
    assert "fewer than two images have no interval" in capsys.readouterr().out
    assert bench("gate", "--no-significance") == 0


def test_the_interval_is_that_of_the_same_images_drawn_for_both(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    rng = np.random.default_rng(3)
    configured(workplace, "{metrics: {exact_match: 3 points}}")
    for share in (0.1, 0.4):
        before, after = ({r for r in regions() if rng.random() < s} for s in (0.2, share))
        answer(bench, workplace, before)
        bench("baseline", "update", "mine")
        forget(workplace)
        answer(bench, workplace, after)
        _, judged = gate(bench, capsys)
        (found,) = [check for check in judged["checks"] if check["name"] == "exact_match"]
        forget(workplace)
        drop, drawn = bootstrap(before, after)
        low, high = np.percentile(drawn, [2.5, 97.5])
        assert -found["difference"] == pytest.approx(drop, abs=2e-6)
        assert (-found["high"], -found["low"]) == pytest.approx((low, high), abs=2e-6)
        if drop > 0.03 and low > 0:
            expected = "regression"
        else:
            wide = high > 0.03 and high - low > 0.03
            expected = "inconclusive" if drop > 0.03 or wide else "pass"
        assert found["verdict"] == expected


def test_a_file_judges_as_the_run_it_was_made_of(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, FEW, model="old")
    answer(bench, workplace, MANY, model="new")
    bench("baseline", "update", "old")
    of_file = gate(bench, capsys, "--run", "new", "--baseline", workplace / "baseline.json")
    of_run = gate(bench, capsys, "--run", "new", "--baseline", "stripes/old")
    assert of_file[0] == of_run[0] == 1
    assert of_file[1]["checks"] == of_run[1]["checks"]
    assert of_file[1]["checks"][0]["subject"] == "new against old on stripes"


def test_a_run_is_not_its_own_baseline(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, ())
    assert bench("gate", "--baseline", "stripes/mine") == 2
    assert "both the baseline and the run" in capsys.readouterr().err


@pytest.mark.usefixtures("baseline")
def test_significance_can_be_left_out_for_one_metric(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, FEW)
    configured(
        workplace,
        "{allow_inconclusive: true, metrics: {exact_match: {tolerance: 2 points, "
        "significance: false}}}",
    )
    code, judged = gate(bench, capsys)
    verdicts = {check["name"]: check["verdict"] for check in judged["checks"]}
    assert verdicts["exact_match"] == "regression"
    assert verdicts["semantic_similarity"] == "inconclusive"
    assert code == 1


@pytest.mark.usefixtures("baseline")
def test_the_command_line_leaves_significance_out_for_every_metric(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, FEW)
    configured(workplace, "{metrics: {exact_match: {tolerance: 2 points, significance: true}}}")
    code, judged = gate(bench, capsys, "--no-significance")
    assert code == 1
    assert {c["verdict"] for c in judged["checks"] if c["kind"] == "quality"} == {"regression"}


@pytest.mark.usefixtures("baseline")
def test_of_a_metric_that_is_better_low_a_rise_is_the_regression(
    bench: Bench, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.gating.quality.higher_is_better", lambda kind, metric: False)
    answer(bench, workplace, MANY)
    assert bench("gate") == 0
    bench("baseline", "update", "mine")
    forget(workplace)
    answer(bench, workplace, ())
    assert bench("gate") == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--tolerance", "semantic_iou"], "not of the form METRIC=TOLERANCE"),
        (["--tolerance", "semantic_iou=a lot"], "write `0.5 points` (of 100) or `2 %`"),
        (["--baselin", "x"], "No such option"),
    ],
)
def test_bad_usage_is_neither_a_regression_nor_incomplete(
    bench: Bench, capsys: Captured, words: list[str], complaint: str
) -> None:
    assert bench("gate", *words) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.usefixtures("baseline")
def test_an_error_of_ours_is_neither_a_regression_nor_incomplete(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bench.gating.judging.pair_up", fail)
    assert bench("gate") == 4


@pytest.mark.usefixtures("baseline")
def test_the_gate_loads_no_framework(bench: Bench, workplace: Path) -> None:
    answer(bench, workplace, ())
    for words in (["gate"], ["baseline", "show"], ["baseline", "update", "mine"]):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *words],
            cwd=workplace,
            capture_output=True,
            text=True,
            check=True,
        )
        code, modules = json.loads(done.stdout.splitlines()[-1])
        assert code == 0, done.stderr
        assert set(modules).isdisjoint(HEAVY)
