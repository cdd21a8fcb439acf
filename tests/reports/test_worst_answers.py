"""The answers a run's page shows: the lowest scores first, those at the full score left out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.reports import boards, pages
from tests.reports.test_run_page import view, with_page, write

MAIN = "semantic_similarity/wowseg-v1"
TABLE = "answers-table"


def scored(*scores: float, more: int = 60) -> boards.Made:
    """A run whose first regions have these scores, and ``more`` the full one."""
    made = boards.run("a", images=40)
    regions = made.page.regions.head(len(scores) + more).reset_index(drop=True)
    regions[MAIN] = [*scores, *[1.0] * more]
    return with_page(made, regions=regions)


def test_the_worst_answers_come_first_and_at_most_fifty(tmp_path: Path) -> None:
    made = boards.run("a", images=120, skill=0.5)
    regions = made.page.regions
    worst = regions.sort_values([MAIN, "region_id"]).iloc[0]
    table = pages.tables(write(tmp_path, made))[TABLE]
    assert len(table.rows) == 50
    assert table.rows[0][0] == f"{worst['region_id']} image {worst['image_id']}"
    assert table.rows[0][1:3] == [worst["reference"], worst["text"]]
    shown = [float(row[4]) for row in table.rows]
    assert shown == sorted(shown)
    below = int((regions[MAIN] < 1).sum())
    assert table.caption.startswith(
        f"{below} of {len(regions)} regions are below 100, lowest Semantic similarity first; "
        "shown: the first 50. Texts"
    )


def test_answers_at_the_full_score_are_left_out_and_the_others_counted(tmp_path: Path) -> None:
    # 0.99999 is printed as 100.00, and 0.9999 as 99.99.
    page = write(tmp_path, scored(0.2, 0.99999, 0.9999))
    table = pages.tables(page)[TABLE]
    assert [row[4] for row in table.rows] == ["20.00", "99.99"]
    assert table.caption.startswith(
        "2 of 63 regions are below 100, lowest Semantic similarity first. Texts"
    )
    assert len(json.loads(page.with_suffix(".json").read_text())["answers"]) == 2


def test_one_answer_below_the_full_score_is_told_of_in_the_singular(tmp_path: Path) -> None:
    caption = pages.tables(write(tmp_path, scored(0.2)))[TABLE].caption
    assert caption.startswith("1 of 61 regions is below 100, lowest Semantic similarity first.")


def test_a_run_without_a_wrong_answer_has_no_such_table(tmp_path: Path) -> None:
    page = write(tmp_path, scored())
    assert TABLE not in pages.tables(page)
    assert "No region is below 100." in page.read_text(encoding="utf-8")


def test_regions_without_a_score_come_last() -> None:
    made = boards.run("a", images=3)
    regions = made.page.regions
    regions.loc[0, MAIN] = float("nan")
    assert view(with_page(made, regions=regions)).answers[-1].region_id == regions["region_id"][0]


def test_regions_without_a_score_are_counted_apart(tmp_path: Path) -> None:
    table = pages.tables(write(tmp_path, scored(0.2, float("nan"))))[TABLE]
    assert [row[4] for row in table.rows] == ["20.00", "–"]
    assert table.caption.startswith(
        "1 of 62 regions is below 100, lowest Semantic similarity first, then 1 without a score."
    )


def test_regions_that_no_metric_scores_are_shown_as_they_stand(tmp_path: Path) -> None:
    made = scored()
    kept = [name for name in map(str, made.page.regions) if "/" not in name]
    page = write(tmp_path, with_page(made, regions=made.page.regions[kept]))
    table = pages.tables(page)[TABLE]
    assert table.caption.startswith("60 regions; shown: the first 50. Texts")
    assert len(table.rows) == 50


@pytest.mark.parametrize("hostile", ["<b>x</b>/1", "a/<script>/", "/", "a//b", "x" * 300])
def test_a_region_s_id_is_shown_as_it_is(tmp_path: Path, hostile: str) -> None:
    made = scored(0.2)
    made.page.regions.loc[0, "region_id"] = hostile
    page = write(tmp_path, made)
    assert pages.tables(page)[TABLE].rows[0][0].startswith(f"{hostile} image ")
    tags = [tag for tag, _ in pages.tags(page)]
    assert "b" not in tags
    assert tags.count("script") == 1


def test_the_answers_csv_holds_every_region_worst_first(tmp_path: Path) -> None:
    made = boards.run("a", images=60, skill=0.5)
    page = write(tmp_path, made)
    with page.with_suffix(".answers.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    assert sorted(row["region_id"] for row in rows) == made.page.regions["region_id"].tolist()
    shown = pages.tables(page)[TABLE].rows
    assert [row["text"] for row in rows[: len(shown)]] == [row[2] for row in shown]
