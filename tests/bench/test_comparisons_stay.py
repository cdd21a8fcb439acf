"""Comparisons in the site: those of unchanged runs stay, whichever verb writes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.manifest import Manifest, ScoringRecord
from bench.sessions import dated_as_before
from bench.store import StoredRun, stored_runs
from tests.bench.compared_runs import Captured
from tests.bench.kinds import Bench


@pytest.fixture
def page(bench: Bench, workplace: Path) -> Path:
    """The comparison of two models, in a site with their pages."""
    assert bench("run") == 0
    assert bench("compare", "one", "two") == 0
    (found,) = (workplace / "site" / "compare").glob("*.html")
    return found


def first_run(workplace: Path) -> StoredRun:
    return stored_runs(workplace / "runs")[0]


def test_a_run_that_asks_nothing_leaves_them(bench: Bench, workplace: Path, page: Path) -> None:
    scorings = first_run(workplace).manifest().scorings
    assert bench("run") == 0
    assert page.is_file()
    manifest = first_run(workplace).manifest()
    assert len(manifest.sessions) == 2
    assert manifest.scorings == scorings


def test_a_session_that_asked_nothing_is_on_its_runs_page_all_the_same(
    bench: Bench, workplace: Path, page: Path
) -> None:
    assert bench("run") == 0
    started = first_run(workplace).manifest().sessions[-1].started
    assert bench("report", "--site", "whole") == 0
    for site in ("site", "whole"):
        (shown,) = (workplace / site).glob("runs/stripes/one/*[0-9a-f].json")
        manifest = json.loads(shown.read_text())["manifest"]
        assert [s["regions_asked"] for s in manifest["sessions"]] == [29, 0]
        assert manifest["sessions"][-1]["started"] == started


def test_one_whose_run_answered_more_goes_and_is_named(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("run", "--limit", 6) == 0
    assert bench("compare", "one", "two") == 0
    (page,) = (workplace / "site" / "compare").glob("*.html")
    capsys.readouterr()
    assert bench("run", "--model", "two") == 0
    assert not page.exists()
    assert f"the comparison {page} is removed: one of its runs" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["score", "report"])
def test_one_whose_run_was_scored_anew_goes_and_is_named(
    bench: Bench, page: Path, capsys: Captured, verb: str
) -> None:
    words = ["--no-report"] if verb == "report" else []
    assert bench("score", "stripes/two", "--resamples", 50, *words) == 0
    assert bench(verb) == 0
    assert not page.exists()
    assert f"the comparison {page} is removed: one of its runs" in capsys.readouterr().err


def test_the_scoring_that_is_shown_is_the_latest() -> None:
    def scored(at: str) -> ScoringRecord:
        return ScoringRecord(
            encoder="e",
            encoder_revision=None,
            encoder_source="hub",
            encoder_digest="d",
            parts=1,
            scored=at,
            seconds=1.0,
        )

    def dates(earlier: dict[str, str], later: dict[str, str]) -> dict[str, str]:
        scorings = {key: scored(at) for key, at in later.items()}
        manifest = Manifest.model_construct(scorings=scorings)
        dated = dated_as_before(manifest, {key: scored(at) for key, at in earlier.items()})
        return {key: record.scored for key, record in dated.scorings.items()}

    assert dates({"a": "1"}, {"a": "2"}) == {"a": "1"}
    assert dates({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == {"a": "1", "b": "2"}
    assert dates({"a": "1", "b": "2"}, {"a": "3", "b": "2"}) == {"a": "3", "b": "2"}
    assert dates({}, {"a": "2"}) == {"a": "2"}
