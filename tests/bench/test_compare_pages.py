"""The pages that `bench compare` writes into the site."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.bench.compared_runs import Answered, Captured, ab, answered, compared, only
from tests.bench.kinds import Bench

__all__ = ["ab", "answered"]


def test_a_page_goes_when_one_of_its_runs_is_scored_anew(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    assert bench("report") == 0
    page = Path(only(compared(bench, capsys, "a", "b"))["page"])
    assert bench("report") == 0
    assert page.is_file()
    linking = [
        p for p in (workplace / "site" / "runs").rglob("*.html") if page.name in p.read_text()
    ]
    assert {p.parent.name for p in linking} == {"a", "b"}
    assert bench("score", "stripes/b", "--resamples", "50", "--no-report", "--no-mlflow") == 0
    assert bench("report") == 0
    assert not page.exists()
    assert not [p for p in linking if page.name in p.read_text()]


def test_the_page_lies_in_the_site_and_survives_the_next_report(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    page = Path(only(compared(bench, capsys, "a", "b"))["page"])
    assert page.parent == workplace / "site" / "compare"
    beside = sorted(path.name.removeprefix(page.stem) for path in page.parent.iterdir())
    assert beside == [
        *(".categories.csv", ".html", ".json", ".metrics.csv", ".regions.csv", ".runs.json")
    ]
    first = page.read_text()
    assert "runs/stripes/a/" not in first
    assert bench("report") == 0
    assert page.read_text() == first
    compared(bench, capsys, "a", "b")
    linked = page.read_text()
    assert 'href="../runs/stripes/a/' in linked
    assert 'href="../index.html"' in linked
    compared(bench, capsys, "a", "b")
    assert page.read_text() == linked
    with page.with_name(f"{page.stem}.metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    written = json.loads(page.with_name(f"{page.stem}.json").read_text())
    assert written["regions"]["compared"] == 29


def test_comparisons_of_other_runs_stay(
    bench: Bench, ab: None, answered: Answered, capsys: Captured
) -> None:
    answered("a.b", {})
    pages = [
        Path(only(compared(bench, capsys, *pair))["page"])
        for pair in (("a", "b"), ("a", "a.b"), ("b", "a.b"))
    ]
    assert all(page.is_file() for page in pages)
    assert len(set(pages)) == 3


def test_no_page_writes_none(bench: Bench, ab: None, workplace: Path, capsys: Captured) -> None:
    assert only(compared(bench, capsys, "a", "b", "--no-page"))["page"] is None
    assert not (workplace / "site").exists()
