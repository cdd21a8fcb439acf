"""A suite's card and its scores name one main metric, or the scores are refused."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.store import StoredRun, stored_runs
from bench.stored_scores import current_scores
from suites.base import Scores
from tests.bench.gating_runs import Captured, answer, regions
from tests.bench.kinds import Asked, Bench

Says = Callable[[str, str], None]
SIMILARITY, IOU = "semantic_similarity", "semantic_iou"


@pytest.fixture
def suite_says(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Let the installed suite's card, and its scores, name a main metric."""
    suite: Any = importlib.import_module("regionbench_fakes").FakeSuite
    card, score = suite.card, suite.score

    def say(of_card: str, of_scores: str) -> None:
        def named(self: object, *words: Any, **options: Any) -> Scores:
            scored: Scores = score(self, *words, **options)
            return replace(scored, main_metric=of_scores)

        monkeypatch.setattr(suite, "card", replace(card, main_metric=of_card))
        monkeypatch.setattr(suite, "score", named)

    return say


def only_run(workplace: Path) -> StoredRun:
    (run,) = stored_runs(workplace / "runs")
    return run


def main_metrics(run: StoredRun) -> tuple[str, str]:
    """What the manifest has of the card, and what the stored scores say."""
    manifest = run.manifest()
    found = current_scores(run, manifest)
    assert found is not None
    return manifest.suite.main_metric, found[1].main_metric


@pytest.mark.parametrize("metric", [SIMILARITY, IOU])
def test_a_suite_whose_scores_have_its_cards_main_metric_is_scored(
    bench: Bench, workplace: Path, suite_says: Says, metric: str
) -> None:
    suite_says(metric, metric)
    assert bench("run", "--model", "one", "--no-report") == 0
    assert main_metrics(only_run(workplace)) == (metric, metric)


def test_scores_that_contradict_the_card_are_refused(
    bench: Bench, workplace: Path, suite_says: Says, capsys: Captured
) -> None:
    suite_says(IOU, SIMILARITY)
    assert bench("run", "--model", "one") == 2
    said = capsys.readouterr().err
    assert f"suite fakes: the main metric of its card is '{IOU}'" in said
    assert f"that of its scores '{SIMILARITY}'" in said
    assert "in its SuiteCard and in the Scores that its `score` returns" in said
    run = only_run(workplace)
    assert f"`bench score {run.name}`" in said
    assert not run.scores_folder.exists()
    assert bench("report") == 0, "the run is there, without scores"


@pytest.mark.parametrize("metric", [SIMILARITY, IOU])
def test_no_answer_is_lost_and_mending_either_side_scores_them(
    bench: Bench, workplace: Path, suite_says: Says, asked: Asked, metric: str
) -> None:
    suite_says(IOU, SIMILARITY)
    assert bench("run", "--model", "one", "--no-report") == 2
    run = only_run(workplace)
    assert sorted(asked()) == regions() == sorted(run.answers()["region_id"])
    assert [session.outcome for session in run.manifest().sessions] == ["finished"]
    suite_says(metric, metric)
    assert bench("score", run.name) == 0
    assert main_metrics(run) == (metric, metric)
    with (workplace / "site" / "index.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["main_metric"], row["value"]) == (metric, "1.0")
    assert bench("run", "--model", "one", "--no-report") == 0
    assert asked() == []


def test_imported_answers_and_earlier_scores_stay(
    bench: Bench, workplace: Path, suite_says: Says
) -> None:
    answer(bench, workplace, ())
    run = only_run(workplace)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    suite_says(IOU, SIMILARITY)
    assert bench("score", run.name) == 2
    assert {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file()} == before
    assert answer(bench, workplace, (), model="other") == 2
    (other,) = (run for run in stored_runs(workplace / "runs") if "/other/" in run.name)
    assert sorted(other.answers()["region_id"]) == regions()
