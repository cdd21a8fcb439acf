"""What the board shows, and what it must not."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from reports import published
from reports.site import write_site
from tests.reports import boards, pages


def write(tmp_path: Path, made: list[boards.Made], **options: object) -> Path:
    return write_site(boards.board(made, **options), tmp_path)  # type: ignore[arg-type]


def test_whole_suites_come_best_first_then_parts_then_incomplete_runs(tmp_path: Path) -> None:
    index = write(tmp_path, boards.demo())
    rows = pages.tables(index)["suite-shapes-runs"].rows
    names = [row[0].split()[0] for row in rows]
    assert names == [
        "tiny-mm-cascade",
        "tiny-mm-causal",
        "tiny-sm",
        "tiny-mm-cascade",
        "tiny-broken",
    ]
    values = [float(row[1].split()[0]) for row in rows[:3]]
    assert values == sorted(values, reverse=True)
    assert "part: first 10 of 120 images" in rows[3][1]


def test_a_score_has_two_decimals_and_its_interval(tmp_path: Path) -> None:
    one = boards.run("a", images=30)
    value, low, high = one.scores[0][3:6]
    index = write(tmp_path, [one])
    cell = pages.tables(index)["suite-shapes-runs"].rows[0][1]
    assert cell == f"{value * 100:.2f} [{low * 100:.2f}, {high * 100:.2f}]"


def test_an_incomplete_run_shows_no_number_as_a_score(tmp_path: Path) -> None:
    index = write(tmp_path, [boards.run("broken", images=20, errored=3), boards.run("whole")])
    broken = pages.tables(index)["suite-shapes-runs"].rows[-1]
    assert broken[0].startswith("broken")
    assert broken[1].startswith("incomplete 3 ended in an error, of ")
    assert broken[2] == "–"
    charted = re.findall(r"<svg.*?</svg>", index.read_text(encoding="utf-8"), re.DOTALL)
    assert not any("broken" in svg for svg in charted)


def test_the_data_beside_the_board_hold_no_number_of_an_incomplete_run(tmp_path: Path) -> None:
    index = write(tmp_path, [boards.run("broken", images=20, errored=3)])
    stored = json.loads(index.with_name("index.json").read_text())["runs"][0]
    with index.with_name("index.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    assert stored["complete"] is False
    assert {score["value"] for score in stored["scores"]} == {None}
    assert {(row["value"], row["low"], row["high"]) for row in rows} == {("", "", "")}


@pytest.mark.parametrize("standing", ["passed", "other versions", "failed"])
def test_how_the_adapter_was_certified_stands_in_every_line(tmp_path: Path, standing: str) -> None:
    index = write(tmp_path, [boards.run("a", images=9, certified=standing)])
    cell = pages.tables(index)["suite-shapes-runs"].rows[0][-1]
    assert (
        cell == f"{standing} worst difference 4.2e-05 of 0.0001 allowed, first logits, 2026-05-31"
    )


def test_a_run_without_a_certificate_has_a_dash(tmp_path: Path) -> None:
    index = write(tmp_path, [boards.run("a", images=9, certified="")])
    assert pages.tables(index)["suite-shapes-runs"].rows[0][-1] == "– no certificate"


def test_a_line_of_several_runs_shows_the_weakest_certificate(tmp_path: Path) -> None:
    made = [
        boards.run("a", suite=suite, images=9, certified=standing)
        for suite, standing in (("lvis", "passed"), ("paco", "other versions"))
    ]
    (row,) = pages.tables(write(tmp_path, made))["region-recognition-runs"].rows
    assert row[-1].startswith("other versions ")


def test_the_data_beside_the_board_hold_the_certificate(tmp_path: Path) -> None:
    index = write(tmp_path, [boards.run("a", images=9, certified="failed")])
    stored = json.loads(index.with_name("index.json").read_text())["runs"][0]
    with index.with_name("index.csv").open(encoding="utf-8", newline="") as source:
        row = next(csv.DictReader(source))
    assert stored["certified"] == row["certified"] == "failed"
    assert (stored["certified_difference"], row["certified_difference"]) == (4.2e-5, "4.2e-05")
    assert row["certified_on"] == "2026-05-31T18:00:00+00:00"


def test_answered_regions_are_counted_and_the_others_named(tmp_path: Path) -> None:
    one = boards.run("a", images=20)
    one.row.update(expected=100, answered=90, empty=7, unanswerable=3)
    row = pages.tables(write(tmp_path, [one]))["suite-shapes-runs"].rows[0]
    assert row[3] == "90 of 100, 7 empty, 3 unanswerable"


@pytest.mark.parametrize("key", ["suite_version", "protocol", "encoder"])
def test_numbers_of_different_sets_protocols_or_encoders_share_no_column(
    tmp_path: Path, key: str
) -> None:
    one, other = boards.run("one", images=5), boards.run("other", images=5)
    other.row[key] = "osprey-v1"
    index = write(tmp_path, [one, other])
    rows = pages.tables(index)["suite-shapes-runs"].rows
    filled = [[bool(cell) for cell in row[1:-3]] for row in rows]
    assert sorted(filled) == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]
    assert "osprey-v1" in index.read_text(encoding="utf-8")


def test_a_run_that_is_not_scored_yet_stands_in_its_suite_s_column(tmp_path: Path) -> None:
    waiting = boards.run("waiting", images=5)
    waiting.row.update(encoder="", complete=False)
    waiting.scores.clear()
    index = write(tmp_path, [waiting, boards.run("scored", images=5)])
    rows = pages.tables(index)["suite-shapes-runs"].rows
    assert [row[0].split()[0] for row in rows] == ["scored", "waiting"]
    assert rows[1][1] == "incomplete not scored yet"
    assert len(rows[0]) == len(rows[1]) == 7


def test_one_model_s_runs_on_several_suites_stand_in_one_line(tmp_path: Path) -> None:
    made = [boards.run("m", suite=suite, images=5) for suite in ("rr7k", "lvis", "paco")]
    table = pages.tables(write(tmp_path, made))["region-recognition-runs"]
    assert len(table.rows) == 1
    assert all(table.rows[0])


def test_a_whole_and_a_partial_run_of_one_model_are_both_shown(tmp_path: Path) -> None:
    made = [boards.run("m", images=20), boards.run("m", images=20, part=5, run_id="part")]
    rows = pages.tables(write(tmp_path, made))["suite-shapes-runs"].rows
    assert ["part:" in row[1] for row in rows] == [False, True]


def test_published_rows_stand_in_a_table_of_their_own_with_paper_and_table(demo_site: Path) -> None:
    tables = pages.tables(demo_site)
    rows = tables["region-recognition-published"].rows
    assert rows[0][:3] == ["WOW-Seg 2026", "89.7", "82.4"]
    assert {row[-1] for row in rows} == {"WOW-Seg (ICLR 2026), Table 1"}
    reproduced = tables["region-recognition-runs"].rows
    assert not any("ICLR" in cell for row in reproduced for cell in row)


def test_published_numbers_keep_the_decimals_of_their_table(demo_site: Path) -> None:
    rows = pages.tables(demo_site)["region-recognition-published-variants"].rows
    single = next(row for row in rows if row[1] == "train=MM")
    assert single[2:6] == ["88.75", "80.10", "86.29", "75.49"]


def test_the_published_data_that_ship_cover_the_papers_main_table() -> None:
    frame = published.load()
    main = frame[frame["table"].eq("Table 1") & frame["suite"].eq("lvis")]
    assert set(main["method"]) >= {"WOW-Seg", "PAM", "DAM", "Osprey"}
    assert frame["value"].between(0, 100).all()
    assert frame["source"].notna().all()


def test_charts_name_and_describe_themselves(demo_site: Path) -> None:
    text = demo_site.read_text(encoding="utf-8")
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert charts
    for chart in charts:
        title, description = re.search(r'aria-labelledby="(\S+) (\S+)"', chart).groups()  # type: ignore[union-attr]
        assert re.search(rf'<title id="{re.escape(title)}">[^<]+', chart)
        assert re.search(rf'<desc id="{re.escape(description)}">[^<]+', chart)
        assert "var(--ink)" in chart
        assert not re.search(r'(fill|stroke)="(#|rgb|black)', chart)


def test_headers_say_what_they_head(demo_site: Path) -> None:
    headers = [attributes for tag, attributes in pages.tags(demo_site) if tag == "th"]
    assert headers
    assert {header.get("scope") for header in headers} == {"row", "col", "colgroup"}


def test_every_table_has_a_caption_and_every_scrolling_box_takes_the_keyboard(
    demo_site: Path,
) -> None:
    for page in demo_site.parent.rglob("*.html"):
        assert all(table.caption.strip() for table in pages.tables(page).values())
        boxes = [a for _, a in pages.tags(page) if "scroll" in a.get("class", "").split()]
        assert all(box["tabindex"] == "0" for box in boxes)
        assert all(box.get("aria-label") or box.get("aria-labelledby") for box in boxes)
