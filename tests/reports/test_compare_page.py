"""The comparison page as written: complete tables, the data beside it, stable bytes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reports import paths
from reports.compare_chart import chart, signed
from reports.compare_page import MOST_REGIONS, files, p_value, page_stem, write_comparison
from reports.compare_records import Comparison, Verdict, verdict
from reports.site import write_site
from tests.reports import boards, comparisons, pages
from tests.reports.comparisons import CATEGORIES, demo, metric


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The demo comparison's page."""
    return write_comparison(demo(), tmp_path, "regionbench")


def data(page: Path, suffix: str) -> list[dict[str, str]]:
    text = page.with_name(f"{page.stem}.{suffix}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_score_is_a_row_with_its_difference_interval_and_verdict(page: Path) -> None:
    rows = pages.tables(page)["metrics-table"].rows
    assert rows[0] == [
        *("Semantic similarity", "wowseg-v1", "50.00", "55.00", "+5.00 [+3.00, +7.00]"),
        *("0.002", "better"),
    ]
    assert rows[1][4:] == ["-1.00 [-3.00, +1.00]", "0.400", "undecided"]
    assert rows[2][4:] == ["-8.00 [-10.00, -6.00]", "0.002", "worse"]
    assert rows[3][-1] == "better over 120 common regions"
    assert rows[4][2:] == ["50.00", "–", "–", "–", "– B has no such score"]


def test_categories_say_how_many_were_looked_at(page: Path) -> None:
    table = pages.tables(page)["categories-table"]
    assert table.column(0) == list(CATEGORIES)
    assert [row[8] for row in table.rows] == ["better", "worse", *["undecided"] * 4]
    assert table.rows[0][9:] == ["-25.00", "–"]
    text = page.read_text(encoding="utf-8")
    assert "Of 6 categories 2 differ when all are looked at (Benjamini–Hochberg" in text


def test_won_and_lost_regions_are_capped_and_the_csv_has_all(page: Path) -> None:
    tables = pages.tables(page)
    assert len(tables["won-table"].rows) == MOST_REGIONS < 130
    assert "130 regions" in tables["won-table"].caption
    assert f"the first {MOST_REGIONS}" in tables["won-table"].caption
    assert tables["won-table"].rows[0][1:] == [
        *("red lamp", "blue cup", "red lamp", "50.00", "95.00", "+45.00")
    ]
    assert len(data(page, "regions")) == 130 + len(boards.HOSTILE)
    text = page.read_text(encoding="utf-8")
    assert "B won 130, lost 12, and 258 are alike" in text


def test_the_data_beside_the_page_is_exact(page: Path) -> None:
    found = json.loads(page.with_suffix(".json").read_text())
    assert [row["second_text"] for row in found["regions"]["lost"]] == list(boards.HOSTILE)
    assert found["metrics"][0]["verdict"] == "better"
    assert found["categories"][0]["own"]["pq"] == {"first": 0.5, "second": 0.25}
    assert found["categories"][0]["significant"] is True
    assert found["first"]["facts"]["Checkpoint"] == "tiny-sm"
    assert [row["difference"] for row in data(page, "metrics")][:2] == ["0.05", "-0.01"]
    first = data(page, "categories")[0]
    assert (first["adjusted_p"], first["pq/second"], first["iou/second"]) == ("0.003", "0.25", "")


def test_what_differs_between_the_runs_is_marked(page: Path) -> None:
    table = pages.tables(page)["provenance-table"]
    assert table.rows[1:] == [["Checkpoint", "tiny-sm", "tiny-mm"], ["Device", "cpu", "cpu"]]
    marked = [a.get("class") for tag, a in pages.tags(page) if tag == "tr" and "class" in a]
    assert marked == ["differs", "differs"]


def test_run_pages_are_linked_where_they_are(tmp_path: Path) -> None:
    runs = [boards.run("tiny-sm"), boards.run("tiny-mm")]
    alone = write_comparison(demo(), tmp_path, "regionbench").read_bytes()
    assert b'href="../' not in alone
    write_site(boards.board(runs), tmp_path)
    page = write_comparison(demo(), tmp_path, "regionbench")
    links = [a["href"] for tag, a in pages.tags(page) if tag == "a" and a["href"][:2] == ".."]
    expected = [f"../{paths.run_page(run.row['run'])}" for run in runs]
    assert links == ["../index.html", *expected, "../index.html"]
    assert all((page.parent / link).resolve().is_file() for link in links)


def test_a_comparison_leaves_others_alone_and_replaces_itself(tmp_path: Path) -> None:
    page = write_comparison(demo(), tmp_path, "regionbench")
    other = write_comparison(demo(second=comparisons.side("tiny-mm.v2")), tmp_path, "regionbench")
    assert len(list(page.parent.iterdir())) == 12
    write_comparison(demo(regions=None, categories=()), tmp_path, "regionbench")
    left = {path.name.removeprefix(page.stem) for path in page.parent.glob(f"{page.stem}.*")}
    assert left == {".html", ".metrics.csv", ".json", ".runs.json"}
    assert other.is_file()


def test_equal_comparisons_are_equal_bytes() -> None:
    assert dict(files(demo(), "t", ())) == dict(files(demo(), "t", ()))


def test_every_pair_has_a_page_of_its_own_whatever_its_names() -> None:
    names = ("a", "b", "a b", "a/b", "a.b", "ü", "<x>", "x" * 300)
    stems = {
        page_stem(demo(first=comparisons.side(one), second=comparisons.side(other)))
        for one in names
        for other in names
    }
    assert len(stems) == len(names) ** 2
    for stem in stems:
        assert stem.startswith("compare/shapes-")
        assert set(stem.removeprefix("compare/")) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
        )
        assert len(stem) < 160


@pytest.mark.parametrize(
    "empty",
    [
        {"metrics": ()},
        {"metrics": (metric("semantic_similarity", None, note="nothing to average"),)},
        {"regions": None, "categories": (), "own_metrics": ()},
        {"speeds": (), "speed_note": "another hardware: A and B"},
    ],
    ids=lambda empty: ", ".join(empty),
)
def test_what_is_lacking_is_said(tmp_path: Path, empty: dict[str, object]) -> None:
    text = write_comparison(demo(**empty), tmp_path, "regionbench").read_text()
    assert "<h1>" in text
    for word in ("neither run has it", "nothing to average", "another hardware"):
        assert (word in text) == any(word in str(value) for value in empty.values()) or (
            word == "neither run has it" and "metrics" in empty
        )


def test_where_lower_is_better_a_fall_is_better() -> None:
    row = metric("error_rate", -0.05, higher_is_better=False)
    assert row.verdict == Verdict.BETTER
    assert verdict(0.01, 0.02, higher_is_better=False) == Verdict.WORSE
    assert verdict(0.01, 0.02, higher_is_better=True) == Verdict.BETTER
    assert verdict(0.0, 0.02, higher_is_better=True) == Verdict.UNDECIDED
    assert verdict(None, None, higher_is_better=True) == Verdict.UNKNOWN


def test_the_chart_keeps_order_and_sides() -> None:
    drawn = chart(demo().metrics)
    assert drawn is not None
    assert [mark.printed for mark in drawn.marks] == ["+5.00", "-1.00", "-8.00", "+3.00"]
    for mark in drawn.marks:
        assert mark.low < mark.x < mark.high
        assert (mark.x > drawn.zero) == mark.printed.startswith("+")
        assert mark.decided == (not mark.low < drawn.zero < mark.high)
    assert (drawn.zero, "0") in drawn.ticks
    assert chart([metric("pq", None)]) is None


def test_differences_and_p_are_printed_with_their_sign_and_limit() -> None:
    printed = [signed(value) for value in (0.0123, -0.5, 0.0, -0.000001, None)]
    assert printed == ["+1.23", "-50.00", "0.00", "0.00", ""]
    assert [p_value(p) for p in (None, 0.0001, 0.002, 1.0)] == ["", "<0.001", "0.002", "1.000"]


def test_a_comparison_without_any_difference_compared_nothing() -> None:
    none = tuple(replace(row, difference=None) for row in demo().metrics)
    assert not demo(metrics=none).compared
    assert isinstance(demo(), Comparison)
    assert demo().compared
