"""Segmentation suites through the command line, from answers to stored scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.exit_codes import ExitCode
from suites.base import Selection
from suites.registry import entry
from tests.bench.kinds import Bench
from tests.suites.segmentation_files import WordsEncoder, true_answers
from tests.suites.test_prepare_ade20k import STREET, STREET_CARS, write_challenge


@pytest.fixture
def words(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are matched by their words: the workplace's own encoder knows letters only."""

    class Encoder(WordsEncoder):
        name, revision, source = "words", None, "folder"

    monkeypatch.setattr("metrics.encoder.SentenceEncoder.load", lambda *a, **k: Encoder())


def run(bench: Bench, workplace: Path, suite: str) -> dict[str, Any]:
    opened = entry(suite).load(cache=workplace / "cache", images=6)
    path = workplace / "answers.jsonl"
    answers = true_answers(opened, Selection())
    answers[["region_id", "text"]].to_json(path, orient="records", lines=True)
    options = ["--suite", suite, "--option", "images=6", "--no-report", "--no-mlflow"]
    assert bench("run", "--adapter", "replay", "--checkpoint", path, *options) == ExitCode.FINE
    (stored,) = (workplace / "runs" / suite).rglob("scores.json")
    scores: dict[str, Any] = json.loads(stored.read_text())
    return scores


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    ("suite", "metrics"),
    [
        ("shapes-panoptic", {"pq", "sq", "rq", "miou"}),
        ("shapes-masks", {"mask_accuracy", "micro_accuracy"}),
    ],
)
def test_replayed_true_names_are_stored_as_full_marks(
    bench: Bench, workplace: Path, suite: str, metrics: set[str]
) -> None:
    scores = run(bench, workplace, suite)
    values = {row["metric"]: row["value"] for row in scores["table"]}
    assert metrics <= set(values)
    assert set(values.values()) == {1.0}
    assert scores["complete"]


@pytest.mark.usefixtures("words")
def test_vocabulary_and_template_are_stored_with_every_score(bench: Bench, workplace: Path) -> None:
    settings = run(bench, workplace, "shapes-panoptic")["settings"]
    assert settings["vocabulary"] == "shapes"
    assert len(settings["vocabulary_digest"]) == 64
    assert settings["template"] == "There is a {} in the scene."


def test_prepare_converts_the_published_files_once(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workplace / "ade"
    write_challenge(root, "ADE_val_00000001", STREET, STREET_CARS)
    command = ("data", "prepare", "ade20k-panoptic", "--root", root, "--json")
    counts = []
    for _ in range(2):
        assert bench(*command) == ExitCode.FINE
        printed = json.loads(capsys.readouterr().out)
        counts.append((printed["made"], printed["kept"]))
    assert counts == [(1, 0), (0, 1)]
    assert any(Path(printed["folder"]).rglob("*.png"))


def test_prepare_says_where_there_is_nothing_to_prepare(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("data", "prepare", "shapes") == ExitCode.USAGE
    assert "nothing to prepare" in capsys.readouterr().err
