"""One run's page."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from reports import run_page
from reports.frames import RunReport
from reports.records import runs_of
from reports.site import write_site
from tests.reports import boards, pages


def write(tmp_path: Path, made: boards.Made) -> Path:
    write_site(boards.board([made]), tmp_path)
    return tmp_path / "runs" / f"{made.row['run']}.html"


def with_page(made: boards.Made, **changes: object) -> boards.Made:
    return dataclasses.replace(made, page=dataclasses.replace(made.page, **changes))  # type: ignore[arg-type]


def view(made: boards.Made) -> run_page.RunView:
    return run_page.view(runs_of(boards.board([made]))[0], made.page)


def test_every_metric_is_shown_under_every_protocol_with_interval_and_count(
    tmp_path: Path,
) -> None:
    made = boards.run("a", images=20)
    rows = pages.tables(write(tmp_path, made))["0"].rows
    assert [row[0] for row in rows] == ["Semantic similarity", "Semantic IoU", "Exact match"]
    value, low, high, count = made.scores[0][3:]
    assert rows[0][1] == f"{value * 100:.2f} [{low * 100:.2f}, {high * 100:.2f}] {count:,}"


def test_the_worst_answers_come_first_and_at_most_fifty(tmp_path: Path) -> None:
    made = boards.run("a", images=120, skill=0.5)
    column = "semantic_similarity/wowseg-v1"
    worst = made.page.regions.sort_values([column, "region_id"]).iloc[0]
    rows = pages.tables(write(tmp_path, made))["answers-table"].rows
    assert len(rows) == 50
    assert rows[0][0] == f"{worst['region_id']} image {worst['image_id']}"
    assert rows[0][1:3] == [worst["reference"], worst["text"]]
    shown = [float(row[4]) for row in rows]
    assert shown == sorted(shown)


def test_regions_without_a_score_come_last() -> None:
    made = boards.run("a", images=3)
    regions = made.page.regions
    regions.loc[0, "semantic_similarity/wowseg-v1"] = float("nan")
    assert view(with_page(made, regions=regions)).answers[-1].region_id == regions["region_id"][0]


def test_an_incomplete_run_s_page_has_no_score_no_means_and_no_chart(tmp_path: Path) -> None:
    page = write(tmp_path, boards.run("a", images=20, errored=2))
    text = page.read_text(encoding="utf-8")
    assert ">incomplete<" in text
    assert "2 ended in an error, of" in text
    assert "categories-table" not in pages.tables(page)
    assert "<svg" not in text.partition("<body>")[2]
    stored = json.loads(page.with_suffix(".json").read_text())
    assert stored["categories"] == []
    assert {score["value"] for score in stored["scores"]} == {None}


def test_categories_are_sorted_lowest_first_and_all_there(tmp_path: Path) -> None:
    made = boards.run("a", images=60, skill=0.6)
    rows = pages.tables(write(tmp_path, made))["categories-table"].rows
    values = [float(row[2]) for row in rows]
    assert values == sorted(values)
    assert {row[0] for row in rows} == set(made.page.regions["category"])


def test_a_page_of_thousands_of_categories_keeps_both_ends() -> None:
    made = boards.run("a", images=2)
    count = run_page.MOST_CATEGORIES + 500
    categories = pd.DataFrame(
        {
            "category": [f"category {number:05d}" for number in range(count)],
            "metric": "semantic_similarity",
            "protocol": "wowseg-v1",
            "value": [number / count for number in range(count)],
            "count": 1,
        }
    )
    shown = view(with_page(made, categories=categories))
    assert shown.category_total == count
    assert len(shown.categories) == run_page.MOST_CATEGORIES
    assert shown.categories[0].category == "category 00000"
    assert shown.categories[-1].category == f"category {count - 1:05d}"


def test_the_whole_manifest_and_the_command_are_on_the_page(tmp_path: Path) -> None:
    made = boards.run("a", images=2)
    text = write(tmp_path, made).read_text(encoding="utf-8")
    assert "<code>bench run --model a --suite shapes</code>" in text
    for entry in ("settings.max_tiles", "forced_tokens", "transformers", "9f2c1e7a0d5b4c3f8e6a"):
        assert f"<bdi>{entry}</bdi>" in text


def test_a_manifest_without_a_command_still_has_its_page() -> None:
    made = boards.run("a", images=2)
    report = RunReport(made.row["run"], {}, made.page.regions, made.page.categories)
    shown = run_page.view(runs_of(boards.board([made]))[0], report)
    assert (shown.command, shown.provenance) == ("", ())


def test_the_files_beside_the_page_hold_what_it_shows(tmp_path: Path) -> None:
    made = boards.run("a", images=60, skill=0.6)
    page = write(tmp_path, made)
    stored = json.loads(page.with_suffix(".json").read_text())
    tables = pages.tables(page)
    for name, key in (("answers", "region_id"), ("categories", "category")):
        with page.with_suffix(f".{name}.csv").open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        assert [row[key] for row in rows] == [row[key] for row in stored[name]]
        assert len(rows) == len(tables[f"{name}-table"].rows)
    assert stored["manifest"] == made.page.manifest
    assert stored["scores"][0]["value"] == made.scores[0][3]


@pytest.mark.parametrize("text", boards.HOSTILE)
def test_the_json_beside_the_page_holds_hostile_answers_exactly(tmp_path: Path, text: str) -> None:
    page = write(tmp_path, boards.run("a", images=2, texts=[text]))
    assert json.loads(page.with_suffix(".json").read_text())["answers"][0]["text"] == text


def test_hostile_names_of_models_categories_and_settings_are_text(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>\x00"
    hostile = f"{name}\ud800"
    made = boards.run(name, images=3, settings=name)
    regions, categories = made.page.regions, made.page.categories
    regions["reference"] = pd.Series([hostile] * len(regions), dtype=object)
    categories["category"] = pd.Series([hostile] * len(categories), dtype=object)
    made = with_page(made, regions=regions, categories=categories, manifest={hostile: hostile})
    other = boards.run("other", images=3)
    write_site(boards.board([made, other]), tmp_path)
    found = list(tmp_path.rglob("*.html"))
    assert len(found) == 3
    for page in found:
        scripts = [attributes for tag, attributes in pages.tags(page) if tag == "script"]
        assert scripts == [{}]
