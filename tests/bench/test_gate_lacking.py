"""The gate where a run, a baseline, an entry or a metric is not there or not alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.gating.baseline_file import read_baseline, write_baseline
from bench.gating.contents import Baseline
from bench.score_tables import Drawn
from bench.store import stored_runs
from suites.base import Score
from tests.bench.gating_runs import Captured, answer, baseline, configured, forget, gate
from tests.bench.kinds import Bench

__all__ = ["baseline"]


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


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x", "x" * 5_000, "a\x00b"])
def test_what_no_file_can_be_called_is_no_baseline(
    bench: Bench, capsys: Captured, name: str
) -> None:
    assert bench("gate", "--baseline", name) == 2
    assert "is no file, and no run is stored" in capsys.readouterr().err
