"""A suite's card and its scores name one main metric and protocol, or the scores are refused."""

from __future__ import annotations

import csv
import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.board import gather
from bench.model_index.results import export
from bench.store import StoredRun, stored_runs
from bench.stored_scores import current_scores
from suites.base import Scores
from tests.bench.gating_runs import Captured, answer, regions
from tests.bench.kinds import Asked, Bench

Says = Callable[..., None]
SIMILARITY, IOU = "semantic_similarity", "semantic_iou"
PROTOCOL, OTHER = "wowseg-v1", "osprey-v1"


@pytest.fixture
def suite_says(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Let the installed suite's card and its scores name a main metric, and the card a protocol."""
    suite: Any = importlib.import_module("regionbench_fakes").FakeSuite
    card, score = suite.card, suite.score

    def say(of_card: str, of_scores: str, protocol: str = PROTOCOL) -> None:
        def named(self: object, *words: Any, **options: Any) -> Scores:
            scored: Scores = score(self, *words, **options)
            return replace(scored, main_metric=of_scores)

        monkeypatch.setattr(suite, "card", replace(card, main_metric=of_card, protocol=protocol))
        monkeypatch.setattr(suite, "score", named)

    return say


def only_run(workplace: Path) -> StoredRun:
    (run,) = stored_runs(workplace / "runs")
    return run


def column(run: StoredRun) -> tuple[str, str]:
    """The board's column by the manifest, which the stored scores are of."""
    manifest = run.manifest()
    assert current_scores(run, manifest) is not None
    return manifest.suite.main_metric, manifest.suite.protocol


@pytest.mark.parametrize("metric", [SIMILARITY, IOU])
def test_a_suite_whose_scores_have_its_cards_main_metric_is_scored(
    bench: Bench, workplace: Path, suite_says: Says, metric: str
) -> None:
    suite_says(metric, metric)
    assert bench("run", "--model", "one", "--no-report") == 0
    assert column(only_run(workplace)) == (metric, PROTOCOL)


def test_scores_that_contradict_the_card_are_refused(
    bench: Bench, workplace: Path, suite_says: Says, capsys: Captured
) -> None:
    suite_says(IOU, SIMILARITY)
    assert bench("run", "--model", "one") == 2
    said = capsys.readouterr().err
    run = only_run(workplace)
    assert said == (
        f"error: suite fakes: the main metric of its card is '{IOU}' under '{PROTOCOL}', that of "
        f"its scores '{SIMILARITY}' under '{PROTOCOL}': a fault of the suite's code (SuiteCard "
        "against Scores). The answers are stored; once it is mended, "
        f"`bench score {run.name}` scores them\n"
    )
    assert not run.scores_folder.exists()
    assert bench("report") == 0, "the run is there, without scores"


def test_scores_by_another_protocol_than_the_card_s_are_refused(
    bench: Bench, workplace: Path, suite_says: Says, capsys: Captured
) -> None:
    suite_says(SIMILARITY, SIMILARITY, OTHER)
    assert bench("run", "--model", "one", "--no-report") == 2
    said = capsys.readouterr().err
    assert f"under '{OTHER}', that of its scores '{SIMILARITY}' under '{PROTOCOL}'" in said
    run = only_run(workplace)
    assert not run.scores_folder.exists()
    suite_says(SIMILARITY, SIMILARITY)
    assert bench("score", run.name) == 0
    assert column(run) == (SIMILARITY, PROTOCOL)
    with (workplace / "site" / "index.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["protocol"], row["value"]) == (PROTOCOL, "1.0")


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
    assert column(run) == (metric, PROTOCOL)
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


def test_a_refused_suite_does_not_keep_other_models_from_being_asked(
    bench: Bench, workplace: Path, suite_says: Says, asked: Asked, capsys: Captured
) -> None:
    suite_says(IOU, SIMILARITY)
    assert bench("run", "--json", "--no-report") == 2
    shown = capsys.readouterr()
    runs = sorted(run.name for run in stored_runs(workplace / "runs"))
    assert [name.split("/")[1] for name in runs] == ["one", "two"]
    assert sorted(asked()) == sorted(2 * regions())
    found = json.loads(shown.out)
    assert found["runs"] == []
    assert [f"error: {reason}" for reason in found["refused"]] == shown.err.splitlines()
    for name, reason in zip(runs, found["refused"], strict=True):
        assert f"`bench score {name}` scores them" in reason


def test_runs_after_a_refused_one_are_scored(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    shutil.copytree(workplace / "pictures", workplace / "others")
    given = workplace / "bench.yaml"
    given.write_text(
        given.read_text().replace(
            "suites:\n", "suites:\n  others: {kind: fakes, root: others, images: 9}\n"
        )
    )
    assert bench("run", "--model", "one", "--no-report") == 0
    lost, kept = sorted(stored_runs(workplace / "runs"), key=lambda run: run.name)
    shutil.rmtree(workplace / "others")
    shutil.rmtree(kept.scores_folder)
    capsys.readouterr()
    assert bench("score", "--json") == 2
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert lost.name.startswith("others/")
    assert [run["run"] for run in found["runs"]] == [kept.name]
    assert len(found["refused"]) == 1
    assert "others are not there; paint them" in shown.err
    assert column(kept) == (SIMILARITY, PROTOCOL)


@pytest.mark.parametrize(("name", "other"), [("main_metric", IOU), ("protocol", OTHER)])
def test_stored_scores_that_contradict_their_run_count_as_none_until_it_is_scored(
    bench: Bench, workplace: Path, capsys: Captured, name: str, other: str
) -> None:
    assert bench("run", "--no-report") == 0
    run, right = sorted(stored_runs(workplace / "runs"), key=lambda run: run.name)
    (summary,) = run.scores_folder.rglob("scores.json")
    values = json.loads(summary.read_text())
    summary.write_text(json.dumps(values | {name: other}))
    capsys.readouterr()

    board = gather([run, right]).runs
    assert list(board["complete"]) == [False, True]
    assert list(board["ranked"]) == [0, 1]
    way_out = f"`bench score {run.name}`"
    assert bench("baseline", "update", "one") == 3
    assert f"not scored as they stand ({way_out} does it)" in capsys.readouterr().err
    assert bench("gate", "--baseline", "two", "--run", "one") == 3
    assert f"not scored as they stand ({way_out} does it)" in capsys.readouterr().out
    assert bench("compare", "one", "two") == 3
    assert f"not scored as it stands; {way_out} does that" in capsys.readouterr().err
    assert export([run], None).left_out == [f"{run.name} is not scored; {way_out} does it"]

    assert bench("score", run.name, "--no-report") == 0
    assert gather([run, right]).runs["complete"].all()
