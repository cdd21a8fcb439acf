"""The gate where stored scores or their resamples are damaged, missing, or do not pair."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bench.store import stored_runs
from tests.bench.gating_runs import MANY, Captured, answer, baseline, configured, gate
from tests.bench.kinds import Bench

__all__ = ["baseline"]


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
