"""The JSON and CSV data beside the board's pages."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.reports import boards
from tests.reports.board_sites import RECOGNITION, write


def csv_rows(page: Path, stem: str) -> list[dict[str, str]]:
    """The lines of ``<stem>.csv`` beside the page."""
    with page.with_name(f"{stem}.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def test_the_data_beside_the_board_hold_no_number_of_an_incomplete_run(tmp_path: Path) -> None:
    page = write(tmp_path, [boards.run("broken", images=20, errored=3)])
    stored = json.loads(page.with_suffix(".json").read_text())["runs"][0]
    main = json.loads(page.with_name("index.json").read_text())["runs"][0]
    assert stored["complete"] is main["complete"] is False
    assert {score["value"] for score in stored["scores"]} == {None}
    assert (main["value"], main["low"], main["high"]) == (None, None, None)
    for stem in ("index", RECOGNITION):
        numbers = {(row["value"], row["low"], row["high"]) for row in csv_rows(page, stem)}
        assert numbers == {("", "", "")}


def test_the_front_page_s_data_have_a_line_per_run_with_its_main_score(tmp_path: Path) -> None:
    made = [boards.run("a", images=9), boards.run("b", images=9, errored=2)]
    made[0].row.update(rank=1, ranked=1)
    page = write(tmp_path, made)
    first, second = csv_rows(page, "index")
    _, metric, protocol, value, low, high, count = made[0].scores[0]
    assert (first["model"], first["main_metric"], first["protocol"]) == ("a", metric, protocol)
    assert [float(first[name]) for name in ("value", "low", "high")] == [value, low, high]
    assert (first["count"], first["rank"], first["ranked"]) == (str(count), "1", "1")
    assert (second["model"], second["value"], second["rank"]) == ("b", "", "")
    stored = json.loads(page.with_name("index.json").read_text())
    assert stored["runs"][0]["value"] == value
    assert stored["all_scores"] == {"Region recognition": f"{RECOGNITION}.json"}
    assert "scores" not in stored["runs"][0]


def test_every_column_of_the_data_has_a_name_of_its_own(demo_site: Path) -> None:
    for path in demo_site.parent.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as source:
            names = next(csv.reader(source))
        assert len(set(names)) == len(names), path.name


def test_a_rank_stands_beside_the_main_score_only(tmp_path: Path) -> None:
    one = boards.run("a", images=9)
    one.row.update(rank=1, ranked=3)
    rows = csv_rows(write(tmp_path, [one]), RECOGNITION)
    assert len(rows) == len(one.scores)
    ranked = {(row["metric"], row["score_protocol"]) for row in rows if row["rank"]}
    assert ranked == {("semantic_similarity", "wowseg-v1")}
    assert {row["protocol"] for row in rows} == {"wowseg-v1"}
    assert {row["score_protocol"] for row in rows} == set(boards.PROTOCOLS)


def test_the_data_beside_the_board_hold_the_certificate(tmp_path: Path) -> None:
    page = write(tmp_path, [boards.run("a", images=9, certified="failed")])
    stored = json.loads(page.with_name("index.json").read_text())["runs"][0]
    with page.with_name("index.csv").open(encoding="utf-8", newline="") as source:
        row = next(csv.DictReader(source))
    assert stored["certified"] == row["certified"] == "failed"
    assert (stored["certified_difference"], row["certified_difference"]) == (4.2e-5, "4.2e-05")
    assert row["certified_on"] == "2026-05-31T18:00:00+00:00"


def test_a_family_s_data_hold_its_own_runs_and_published_rows(demo_site: Path) -> None:
    for key, suites in (("segmentation", {"shapes-panoptic"}), ("mask-classification", set())):
        stored = json.loads(demo_site.with_name(f"{key}.json").read_text())
        assert {run["suite"] for run in stored["runs"]} == suites
        assert stored["published"]
        with demo_site.with_name(f"{key}.csv").open(encoding="utf-8", newline="") as source:
            assert {row["suite"] for row in csv.DictReader(source)} == suites
