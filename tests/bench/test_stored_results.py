"""Results stored by schema version 1 stay readable."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.board import gather
from bench.manifest import SCHEMA_VERSION
from bench.store import StoredRun, stored_runs
from bench.stored_scores import current_scores
from tests.bench.kinds import Asked, Bench


@pytest.fixture
def as_stored(goldens: Path) -> StoredRun:
    """A whole run of the fake model on three images, as version 1 stored it."""
    (run,) = stored_runs(goldens / "bench" / "runs-v1")
    return run


@pytest.fixture
def old(goldens: Path, tmp_path: Path) -> StoredRun:
    """The same run, as if the fake suite's card had named the main metric of its scores then."""
    shutil.copytree(goldens / "bench" / "runs-v1", tmp_path / "old")
    (run,) = stored_runs(tmp_path / "old")
    card = '"main_metric": "semantic_iou"'
    text = run.manifest_path.read_text()
    assert text.count(card) == 1
    run.manifest_path.write_text(text.replace(card, '"main_metric": "semantic_similarity"'))
    return run


def test_an_old_runs_answers_and_scores_are_read(old: StoredRun) -> None:
    assert list(old.answers()["text"][:3]) == ["apple", "brick wall", "cup"]
    found = current_scores(old, old.manifest())
    assert found is not None
    record, scores = found
    assert record.encoder == "fake-encoder"
    assert scores.counts.answered == 9
    assert {s.value for s in scores.table if s.metric == "semantic_iou"} == {1.0}


def test_an_old_manifest_is_brought_up_to_date(old: StoredRun) -> None:
    assert json.loads(old.manifest_path.read_text())["schema_version"] == 1
    manifest = old.manifest()
    assert manifest.schema_version == SCHEMA_VERSION
    assert [session.certificate for session in manifest.sessions] == [None]


def test_an_old_run_is_on_the_board(old: StoredRun) -> None:
    board = gather([old])
    assert board.runs["complete"].all()
    assert list(board.runs["certified"]) == [""]
    assert len(board.pages[0].load().regions) == 9


def test_old_scores_that_contradict_their_card_count_as_none(as_stored: StoredRun) -> None:
    assert current_scores(as_stored, as_stored.manifest()) is None
    (row,) = gather([as_stored]).runs.to_dict("records")
    assert (row["complete"], row["answered"], row["missing"]) == (False, 9, 0)
    assert (row["rank"], row["ranked"]) == (None, 0)


def test_an_old_run_is_resumed_and_not_asked_again(
    bench: Bench, workplace: Path, goldens: Path, asked: Asked
) -> None:
    shutil.copytree(goldens / "bench" / "runs-v1", workplace / "runs")
    words = ["--suite", "stripes", "--option", "images=3", "--model", "one", "--no-report"]
    assert bench("run", *words) == 0
    assert asked() == []
    (run,) = stored_runs(workplace / "runs")
    assert len(run.manifest().sessions) == 2
