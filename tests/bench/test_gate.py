"""``bench gate`` on stored runs, end to end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.gating.baseline_file import read_baseline, write_baseline
from bench.gating.contents import Baseline
from bench.score_tables import Drawn
from bench.store import stored_runs
from suites.base import Score
from tests.bench.gating_runs import answer, bootstrap, forget, regions
from tests.bench.kinds import Bench
from tests.bench.test_startup import HEAVY, SCRIPT

Captured = pytest.CaptureFixture[str]
FEW = {"0003/1", "0007/0"}
MANY = set(regions()[::2])


@pytest.fixture
def baseline(bench: Bench, workplace: Path, capsys: Captured) -> Path:
    """A baseline of a model that is always right, on a machine that has no runs now."""
    answer(bench, workplace, ())
    assert bench("baseline", "update", "mine") == 0
    forget(workplace)
    capsys.readouterr()
    return workplace / "baseline.json"


def gate(bench: Bench, capsys: Captured, *words: object) -> tuple[int, Any]:
    capsys.readouterr()
    code = bench("gate", "--json", *words)
    return code, json.loads(capsys.readouterr().out)


def configured(workplace: Path, text: str) -> None:
    path = workplace / "bench.yaml"
    path.write_text(f"{path.read_text()}gate: {text}\n")


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
def test_a_missing_run_is_incomplete(bench: Bench, capsys: Captured) -> None:
    assert bench("gate") == 3
    assert "Incomplete: mine on stripes: there is no run of it" in capsys.readouterr().out
    assert bench("gate", "--run", "mine") == 2
    assert "no run is stored" in capsys.readouterr().err


@pytest.mark.usefixtures("baseline")
def test_a_run_that_the_baseline_does_not_have_is_incomplete(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, (), model="other")
    bench("baseline", "update", "other")
    answer(bench, workplace, (), model="third")
    code, judged = gate(bench, capsys, "--run", "third")
    assert code == 3
    assert "the baseline has no entry of it" in judged["checks"][0]["reason"]


def test_a_models_name_stands_for_every_suite_of_the_baseline(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    path = workplace / "bench.yaml"
    text = path.read_text()
    more = text.replace("suites:\n", "suites:\n  more: {kind: fakes, root: pictures, images: 4}\n")
    path.write_text(more)
    bench("run", "--model", "one", "--no-report")
    bench("baseline", "update", "one")
    forget(workplace)
    bench("run", "--model", "one", "--suite", "stripes", "--no-report")
    assert bench("gate", "--run", "stripes/one") == 0
    code, judged = gate(bench, capsys, "--run", "one")
    assert code == 3
    assert [check["subject"] for check in judged["checks"] if check["verdict"] != "pass"] == [
        "one on more"
    ]


def test_an_incomplete_run_fails_and_is_no_baseline(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    bench("run", "--model", "one", "--no-report")
    bench("baseline", "update", "one")
    stored = (workplace / "baseline.json").read_bytes()
    forget(workplace)
    path = workplace / "bench.yaml"
    path.write_text(
        path.read_text().replace(
            "checkpoint: first", "checkpoint: first, settings: {fails_on: '0002'}"
        )
    )
    assert bench("run", "--model", "one", "--no-report") == 3
    capsys.readouterr()
    assert bench("gate") == 3
    assert "of 29 regions 4 errored and 0 have no answer; `bench run" in capsys.readouterr().out
    assert bench("baseline", "update", "one") == 3
    assert "cannot be a baseline: of 29 regions 4 errored" in capsys.readouterr().err
    assert (workplace / "baseline.json").read_bytes() == stored
    answer(bench, workplace, (), model="other")
    capsys.readouterr()
    assert bench("gate", "--baseline", "stripes/one", "--run", "other") == 3
    assert "the baseline is incomplete: of 29 regions 4 errored" in capsys.readouterr().out


@pytest.mark.usefixtures("baseline")
def test_answers_that_were_not_scored_fail(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, ())
    (run,) = stored_runs(workplace / "runs")
    for summary in run.scores_folder.rglob("scores.json"):
        summary.unlink()
    assert bench("gate") == 3
    assert "its answers are not scored as they stand" in capsys.readouterr().out


@pytest.mark.usefixtures("baseline")
def test_other_regions_are_not_compared(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, (), "--limit", "4")
    assert bench("gate") == 3
    assert "not comparable: different selections: 10 and 4 images" in capsys.readouterr().out


def test_an_empty_baseline_measures_nothing(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    (workplace / "baseline.json").write_text('{"schema_version": 1, "entries": [], "speeds": []}')
    assert bench("gate") == 3
    assert "Nothing was measured: the baseline is empty." in capsys.readouterr().out
    assert bench("gate", "--allow-inconclusive", "--no-significance") == 3


def test_without_a_baseline_it_says_how_to_make_one(bench: Bench, capsys: Captured) -> None:
    assert bench("gate") == 2
    assert "`bench baseline update RUN` writes it" in capsys.readouterr().err
    assert bench("gate", "--baseline", "nowhere.json") == 2
    assert "--baseline nowhere.json is no file, and no run" in capsys.readouterr().err


@pytest.mark.usefixtures("baseline")
def test_a_metric_that_no_suite_has_is_incomplete(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, ())
    assert bench("gate", "--tolerance", "exact_macth=1") == 3
    assert "none of the suites reports it; did you mean 'exact_match'" in capsys.readouterr().out
    configured(workplace, "{metrics: {pq: 1 points}}")
    assert bench("gate") == 3
    assert bench("gate", "--run", "mine") == 3
    assert "pq of every suite: none of the suites reports it" in capsys.readouterr().out


def with_another_suite(path: Path) -> None:
    """Add an entry of a suite that has panoptic quality alone."""
    (entry,) = read_baseline(path).entries.values()
    protocol = entry.table.protocol
    pq = Drawn(Score("pq", protocol, 0.5, None, None, 3), None, "")
    table = replace(entry.table, called="other", main_metric="pq", scores={("pq", protocol): pq})
    entries = [entry, replace(entry, table=table)]
    write_baseline(path, Baseline({entry.pair: entry for entry in entries}, {}))


def test_a_metric_of_another_suite_is_known_but_stands_for_none_that_is_insisted_on(
    baseline: Path, bench: Bench, workplace: Path, capsys: Captured
) -> None:
    with_another_suite(baseline)
    answer(bench, workplace, ())
    configured(workplace, "{metrics: {pq: 1 points}}")
    assert bench("gate", "--run", "stripes/mine") == 0
    capsys.readouterr()
    assert bench("gate", "--run", "stripes/mine", "--tolerance", "pq=1") == 3
    assert "pq of every suite: none of the suites reports it" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mine", "mine/", "/mine"])
def test_a_models_name_means_all_of_its_entries_however_it_is_written(
    baseline: Path, bench: Bench, workplace: Path, capsys: Captured, name: str
) -> None:
    with_another_suite(baseline)
    answer(bench, workplace, ())
    assert bench("gate", "--run", name) == 3
    assert "Incomplete: mine on other: there is no run of it" in capsys.readouterr().out


@pytest.mark.usefixtures("baseline")
def test_resamples_that_do_not_pair_are_not_waved_through(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, MANY)
    assert bench("score", "stripes/mine", "--resamples", "50", "--no-report") == 0
    code, judged = gate(bench, capsys, "--allow-inconclusive")
    assert code == 3
    (found,) = [check for check in judged["checks"] if check["kind"] == "quality"]
    assert found["verdict"] == "not comparable"
    assert found["reason"] == (
        "1,000 resamples in the baseline and 50 in the run; `bench score --resamples 1000` makes "
        "the run's anew"
    )
    assert bench("gate", "--no-significance") == 1


@pytest.mark.usefixtures("baseline")
def test_resamples_of_an_older_version_do_not_pair_with_these(
    bench: Bench, workplace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suites.protocols.resampled.DRAWING", 0)
    answer(bench, workplace, ())
    code, judged = gate(bench, capsys, "--allow-inconclusive")
    assert code == 3
    (found,) = [check for check in judged["checks"] if check["kind"] == "quality"]
    assert found["verdict"] == "not comparable"
    assert "drawn with another seed or an older regionbench; `bench score`" in found["reason"]
    monkeypatch.undo()


@pytest.mark.usefixtures("baseline")
def test_a_run_without_resamples_is_told_to_score_anew(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, ())
    (run,) = stored_runs(workplace / "runs")
    for summary in run.scores_folder.rglob("scores.json"):
        summary.write_text(json.dumps(json.loads(summary.read_text()) | {"samples": []}))
    assert bench("gate", "--tolerance", "exact_match=1") == 3
    out = capsys.readouterr().out
    assert "the run keeps no resamples of it; `bench score` adds them" in out
    assert "bench baseline update" not in out


@pytest.mark.usefixtures("baseline")
@pytest.mark.parametrize("value", [*("NaN", "Infinity", "1e999", '"1.0"', "true", "[1]")])
def test_a_stored_score_that_is_no_number_is_refused(
    bench: Bench, workplace: Path, capsys: Captured, value: str
) -> None:
    answer(bench, workplace, ())
    (run,) = stored_runs(workplace / "runs")
    (summary,) = run.scores_folder.rglob("scores.json")
    text = summary.read_text()
    changed = re.sub(r'("value": ?)[\d.]+', rf"\g<1>{value}", text, count=1)
    assert changed != text
    summary.write_text(changed)
    assert bench("gate", "--no-significance") == 2
    assert f"{summary} is not a stored scoring" in capsys.readouterr().err


@pytest.mark.usefixtures("baseline")
def test_an_infinite_resample_is_refused(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, ())
    (run,) = stored_runs(workplace / "runs")
    (path,) = run.scores_folder.rglob("draws.npy")
    draws = np.load(path)
    draws[0, 5] = np.inf
    np.save(path, draws)
    assert bench("gate") == 2
    assert f"{path} holds an infinite score" in capsys.readouterr().err
    assert bench("report") == 2


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x", "x" * 5_000, "a\x00b"])
def test_what_no_file_can_be_called_is_no_baseline(
    bench: Bench, capsys: Captured, name: str
) -> None:
    assert bench("gate", "--baseline", name) == 2
    assert "is no file, and no run is stored" in capsys.readouterr().err


@pytest.mark.usefixtures("baseline")
def test_a_metric_gated_since_has_no_resamples_in_the_file(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, ())
    words = ("--tolerance", "exact_match=1", "--tolerance", "semantic_iou@osprey-v1=1")
    code, judged = gate(bench, capsys, *words)
    assert code == 3
    late = [check for check in judged["checks"] if check["verdict"] == "inconclusive"]
    assert [check["name"] for check in late] == ["exact_match", "semantic_iou (osprey-v1)"]
    assert "`bench baseline update` adds them" in late[0]["reason"]
    configured(workplace, "{metrics: {exact_match: 1, semantic_iou@osprey-v1: 1 %}}")
    assert bench("baseline", "update") == 0
    assert bench("gate") == 0


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
