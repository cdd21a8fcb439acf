"""What the efficiency page shows, and what it must not."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest

from reports.efficiency_page import sweeps as shown_sweeps
from reports.frames import COST_COLUMNS, SPEED_COLUMNS, ReportError
from reports.site import write_efficiency, write_site
from tests.reports import boards, pages, sweeps
from tests.reports.sweeps import FEW, TWO, board, small_costs, small_speeds, table
from tests.reports.test_site import files, stamps
from tests.reports.test_style import luminance


def test_costs_are_relative_to_the_same_model_asked_the_same_way(tmp_path: Path) -> None:
    page = write_efficiency(board(costs=sweeps.costs()), tmp_path)
    rows = {row[0]: row[1:] for row in table(page, "-cost-table").rows}
    together = rows["wow-seg all regions in one query; shared-prefix; bfloat16, random weights"]
    assert together[0] == "1.00× 8.55"
    assert together[-1] == f"{(8.1 + 32 * 0.45) / (8.1 + 0.45):.2f}× 22.5"
    alone = rows["pam-3b one region a query; bfloat16, random weights"]
    assert alone[-1].startswith("32.00× ")


def test_both_reference_lines_are_named_beside_the_curves(tmp_path: Path) -> None:
    write_efficiency(board(costs=small_costs()), tmp_path)
    (relative,) = tmp_path.glob("efficiency/*cost-relative.svg")
    texts = ET.fromstring(relative.read_text()).itertext()
    assert {"N×, one by one", "4×, WOW-Seg's paper", "wow-seg", "wow-seg-cascade"} <= set(texts)


def test_every_chart_is_a_file_with_its_data_beside_it(tmp_path: Path) -> None:
    write_efficiency(board(small_costs(), small_speeds()), tmp_path)
    charts = sorted(tmp_path.glob("efficiency/*.svg"))
    assert len(charts) == 7
    for chart in charts:
        text = chart.read_text()
        assert "var(--" not in text
        assert ET.fromstring(text).tag.endswith("svg")
        with chart.with_suffix(".csv").open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        stored = json.loads(chart.with_suffix(".json").read_text())["points"]
        assert len(rows) == len(stored) == len(TWO) * len(FEW)
        assert {row["random_weights"] for row in rows} == {"True"}


def test_what_was_asked_and_how_stands_in_the_facts_and_in_the_files(tmp_path: Path) -> None:
    speeds = small_speeds(changed={"interleaved": "pam-1.5b; dam-3b"})
    page = write_efficiency(board(small_costs(), speeds), tmp_path)
    shown = page.read_text(encoding="utf-8")
    assert "asked “What is it?”" in shown
    assert "wow-seg: full measurement on cuda:0, in turns with pam-1.5b; dam-3b" in shown
    for path in tmp_path.glob("efficiency/*-points.csv"):
        with path.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        assert {row["prompt"] for row in rows} == {"What is it?"}
    (path,) = tmp_path.glob("efficiency/*H100*-points.csv")
    with path.open(encoding="utf-8", newline="") as source:
        told = {(r["device"], r["effort"], r["interleaved"]) for r in csv.DictReader(source)}
    assert told == {("cuda:0", "full", "pam-1.5b; dam-3b")}


def test_a_full_measurement_stands_in_the_place_of_a_quick_one() -> None:
    quick = small_speeds(changed={"effort": "quick", "seconds_p50": 99.0})
    both = pd.concat([quick, small_speeds(), quick], ignore_index=True)
    (sweep,) = shown_sweeps(board(speeds=both), ())
    assert {record["effort"] for record in sweep.speeds[0].records} == {"full"}


@pytest.mark.parametrize("text", boards.HOSTILE[:9])
def test_a_models_name_is_text_whatever_it_holds(tmp_path: Path, text: str) -> None:
    model = sweeps.MODELS[0]._replace(name=text)
    frames = sweeps.costs([model], instances=(1, 2)), sweeps.speeds([model], instances=(1, 2))
    page = write_efficiency(board(*frames), tmp_path)
    found = {tag for tag, _ in pages.tags(page)}
    assert found.isdisjoint({"img", "iframe", "object"})
    assert page.read_text(encoding="utf-8").count("<script>") == 1
    for chart in tmp_path.glob("efficiency/*.svg"):
        elements = {each.tag.rpartition("}")[2] for each in ET.parse(chart).iter()}
        assert elements <= {"svg", "g", "path", "text", "tspan", "line", "title", "desc", "rect"}


def test_the_board_links_to_the_page_where_there_is_a_sweep(tmp_path: Path) -> None:
    index = write_site(board(costs=small_costs()), tmp_path / "with")
    assert ("a", {"href": "efficiency.html"}) in pages.tags(index)
    index = write_site(board(), tmp_path / "without")
    assert "efficiency" not in index.read_text(encoding="utf-8")
    assert set(files(tmp_path / "without")).isdisjoint({"efficiency.html"})


def test_writing_the_page_alone_leaves_the_rest_of_the_site(tmp_path: Path) -> None:
    made = [boards.run("a", images=2)]
    write_site(board(small_costs(), small_speeds(), made), tmp_path)
    before = stamps(tmp_path)
    write_efficiency(board(small_costs(), made=made), tmp_path)
    after = stamps(tmp_path)
    gone = {name for name in before if name not in after}
    touched = {name for name in after if before.get(name) != after[name]}
    assert touched == {"efficiency.html", "site-files.json"}
    assert gone
    assert all(name.startswith("efficiency/") for name in gone)
    write_site(boards.board(made), tmp_path)
    assert not (tmp_path / "efficiency").exists()


def test_equal_frames_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    costs, speeds = small_costs(), small_speeds()
    write_efficiency(board(costs, speeds), tmp_path / "one")
    write_efficiency(board(costs.iloc[::-1], speeds.iloc[::-1]), tmp_path / "other")
    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_the_page_of_eight_models_is_light(tmp_path: Path) -> None:
    more = [*sweeps.MODELS, *(sweeps.MODELS[2]._replace(name=f"more-{at}") for at in range(2))]
    page = write_efficiency(board(sweeps.costs(more), sweeps.speeds(more)), tmp_path)
    assert page.stat().st_size < 400_000


def test_more_curves_than_can_be_told_apart_are_in_the_table(tmp_path: Path) -> None:
    many = [sweeps.MODELS[2]._replace(name=f"model-{at:02d}") for at in range(11)]
    page = write_efficiency(board(costs=sweeps.costs(many, ways=("together",))), tmp_path)
    assert "3 more curves in the table" in page.read_text(encoding="utf-8")
    assert len(table(page, "-cost-table").rows) == 11


@pytest.mark.parametrize("column", ["instances", "vision_flops"])
def test_a_cost_that_lacks_a_number_is_refused_naming_sweep_and_column(column: str) -> None:
    costs = small_costs()
    costs.loc[0, column] = None
    with pytest.raises(ReportError, match=f"sweep 'sizes'.*'wow-seg'.*{column}"):
        shown_sweeps(board(costs=costs), ())


def test_a_frame_without_a_column_is_refused() -> None:
    with pytest.raises(ReportError, match="the costs frame lacks the column 'sweep'"):
        board(costs=pd.DataFrame(columns=list(COST_COLUMNS[1:])))
    with pytest.raises(ReportError, match="the speeds frame lacks the column 'commit'"):
        board(speeds=pd.DataFrame(columns=list(SPEED_COLUMNS[:-1])))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_curves_and_their_names_are_readable_on_their_paper(repository: Path, scheme: int) -> None:
    folder = repository / "reports" / "templates"
    style = (folder / "style.css").read_text(encoding="utf-8")
    inks = (folder / "efficiency.css").read_text(encoding="utf-8")
    paper = luminance(re.findall(r"--paper: (#\w{6})", style)[scheme])
    blocks = re.findall(r":root \{(.*?)\}", inks, re.DOTALL)
    for color in re.findall(r"--s\d: (#\w{6})", blocks[scheme]):
        darker, lighter = sorted((luminance(color), paper))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize("audit", ["outputs_equal", "repeat_ok"])
def test_speeds_whose_audits_failed_are_marked(tmp_path: Path, audit: str) -> None:
    speeds = small_speeds()
    point = (speeds["model"] == TWO[0].name) & (speeds["way"] == "together")
    speeds[audit] = ~(point & (speeds["instances"] > 1))
    page = write_efficiency(board(speeds=speeds), tmp_path)
    for ending in ("-throughput-table", "-latency-table", "-relative-table"):
        marked = {
            (row[0].split()[0], n)
            for row in table(page, ending).rows
            for n, cell in zip(FEW, row[1:], strict=True)
            if "†" in cell
        }
        assert marked == {(TWO[0].name, 4), (TWO[0].name, 32)}
    told = f"† An audit failed: {TWO[0].name} at N = 4, 32."
    assert page.read_text().count(told) == 3  # below the charts of this way of asking
    speeds[audit] = ~(point & (speeds["instances"] == 1))  # what the others are relative to
    page = write_efficiency(board(speeds=speeds), tmp_path / "first")
    (row,) = (row for row in table(page, "-relative-table").rows if row[1].endswith("†"))
    assert all(cell.endswith(" †") for cell in row[1:])
    plain = write_efficiency(board(speeds=small_speeds()), tmp_path / "plain")
    assert "†" not in plain.read_text()


def test_quick_measurements_are_told_below_their_charts(tmp_path: Path) -> None:
    speeds = small_speeds()
    middle = speeds["instances"] == 4
    for at, (quick, told) in enumerate(
        (
            (middle, "Quick measurement: all models at N = 4."),
            (
                middle & (speeds["model"] == TWO[0].name),
                f"Quick measurement: {TWO[0].name} at N = 4.",
            ),
            (
                (speeds["model"] == TWO[0].name) | (speeds["instances"] > 1),
                f"Quick measurement: {TWO[0].name} at N = 1, 4, 32; {TWO[1].name} at N = 4, 32.",
            ),
            (speeds["instances"] > 0, "Quick measurements."),
        )
    ):
        mixed = speeds.assign(effort=speeds["effort"].mask(quick, "quick"))
        page = write_efficiency(board(speeds=mixed), tmp_path / str(at))
        remarks = re.findall(r"Quick measurement[^<]*[.](?=</bdi>)", page.read_text())
        assert remarks == [told] * 5


def test_full_measurements_need_no_remark() -> None:
    (sweep,) = shown_sweeps(board(speeds=small_speeds()), ())
    figures = [figure for block in sweep.speeds[0].blocks for figure in block.figures]
    assert [figure.remark for figure in figures] == [""] * 5
