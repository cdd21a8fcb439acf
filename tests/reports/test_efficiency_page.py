"""What the efficiency page shows, and what it must not."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports.efficiency_page import sweeps as shown_sweeps
from reports.frames import COST_COLUMNS, SPEED_COLUMNS, Board, ReportError
from reports.site import write_efficiency, write_site
from tests.reports import boards, pages, sweeps
from tests.reports.test_site import files, stamps
from tests.reports.test_style import luminance

TWO = sweeps.MODELS[:2]
FEW = (1, 4, 32)


def board(
    costs: pd.DataFrame | None = None,
    speeds: pd.DataFrame | None = None,
    made: list[boards.Made] | None = None,
) -> Board:
    swept: dict[str, Any] = {"costs": costs, "speeds": speeds}
    given = {name: frame for name, frame in swept.items() if frame is not None}
    return dataclasses.replace(boards.board(made or []), **given)


def small_costs(**options: Any) -> pd.DataFrame:
    return sweeps.costs(TWO, instances=FEW, **options)


def small_speeds(**options: Any) -> pd.DataFrame:
    return sweeps.speeds(TWO, instances=FEW, **options)


def table(page: Path, ending: str) -> pages.Table:
    return next(table for name, table in pages.tables(page).items() if name.endswith(ending))


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


def test_speeds_of_different_hardware_share_no_chart_and_no_table(tmp_path: Path) -> None:
    other = small_speeds(hardware="Another machine")
    both = pd.concat([small_speeds(), other], ignore_index=True)
    page = write_efficiency(board(speeds=both), tmp_path)
    for svg in re.findall(r"<svg.*?</svg>", page.read_text(encoding="utf-8"), re.DOTALL):
        assert ("Another machine" in svg) != (sweeps.GPU in svg)
        assert len(re.findall(r"wow-seg</text>", svg)) <= 1
    headings = [part.title for part in shown_sweeps(board(speeds=both), ())[0].speeds]
    assert headings == ["Measured on Another machine", f"Measured on {sweeps.GPU}"]


@pytest.mark.parametrize("column", ["decode", "tokens", "width"])
def test_other_questions_share_no_chart(column: str) -> None:
    value = {"decode": "natural", "tokens": 8, "width": 320}[column]
    both = pd.concat([small_speeds(), small_speeds(changed={column: value})], ignore_index=True)
    (sweep,) = shown_sweeps(board(speeds=both), ())
    assert len(sweep.speeds) == 2


def test_numbers_of_tiles_have_a_chart_each_and_other_models_stand_in_both() -> None:
    few = sweeps.MODELS[0]._replace(tiles="4+1", shared=3.0)
    costs = sweeps.costs([sweeps.MODELS[0], few, sweeps.MODELS[2]], instances=FEW)
    (sweep,) = shown_sweeps(board(costs=costs), ())
    assert [part.title for part in sweep.costs] == [
        "Computed cost, 12+1 tiles",
        "Computed cost, 4+1 tiles",
    ]
    assert all({row[0] for row in part.rows} == {"wow-seg", "pam-1.5b"} for part in sweep.costs)


@pytest.mark.parametrize("outcome", ["out_of_memory", "failed", "not_possible"])
def test_a_point_without_a_speed_says_so_and_ends_the_line_in_an_open_mark(
    tmp_path: Path, outcome: str
) -> None:
    speeds = small_speeds(stops={"wow-seg": (32, outcome)})
    page = write_efficiency(board(speeds=speeds), tmp_path)
    words = outcome.replace("_", " ")
    row = table(page, "-throughput-table").rows[0]
    assert row[-1] == words
    (chart,) = tmp_path.glob("efficiency/*throughput-together.svg")
    assert f"wow-seg – {words}" in chart.read_text()
    points = table(page, "-points").rows
    assert any("72.1 GiB were not enough" in row for row in points)


@pytest.mark.parametrize("outcome", ["failed", "not_possible"])
def test_a_point_without_a_cost_says_so_and_ends_the_line_in_an_open_mark(
    tmp_path: Path, outcome: str
) -> None:
    costs = beyond(small_costs(), outcome)
    page = write_efficiency(board(costs=costs), tmp_path)
    words = outcome.replace("_", " ")
    assert table(page, "-cost-table").rows[0][-1] == words
    for name in ("relative", "full"):
        (chart,) = tmp_path.glob(f"efficiency/*cost-{name}.svg")
        assert f"wow-seg – {words}" in chart.read_text()
    (row,) = (row for row in table(page, "-points").rows if words in row)
    assert row[:3] == ["wow-seg", "together", "32"]
    assert row[3:8] == ["–"] * 5
    assert row[-1] == "the prompt exceeds the context"
    stored = json.loads(next(tmp_path.glob("efficiency/*-points.json")).read_text())["points"]
    (point,) = (point for point in stored if point["outcome"] == outcome)
    assert (point["flops"], point["vision_flops"], point["kv_cache_bytes"]) == (None, None, None)


def beyond(costs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The same without the cost of 32 regions of ``wow-seg`` asked together."""
    gone = (costs["model"] == "wow-seg") & (costs["way"] == "together") & (costs["instances"] == 32)
    assert gone.sum() == 1
    costs.loc[gone, ["outcome", "reason"]] = [outcome, "the prompt exceeds the context"]
    numbers = ["vision_flops", "prefill_flops", "decode_flops", "kv_cache_bytes"]
    costs.loc[gone, numbers] = None
    return costs


def test_where_no_cost_could_be_computed_the_table_says_why(tmp_path: Path) -> None:
    costs = sweeps.costs(TWO[:1], instances=(32,), ways=("together",))
    page = write_efficiency(board(costs=beyond(costs, "not_possible")), tmp_path)
    assert "Nothing could be measured here" in page.read_text(encoding="utf-8")
    assert [row[-2] for row in table(page, "-points").rows] == ["not possible"]


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


def test_other_prompts_are_other_curves() -> None:
    changed = small_speeds(changed={"prompt": "Name it."})
    both = pd.concat([small_speeds(), changed], ignore_index=True)
    (sweep,) = shown_sweeps(board(speeds=both), ())
    labels = {row.label for row in sweep.speeds[0].blocks[0].rows}
    assert "wow-seg · What is it?" in labels
    assert "wow-seg · Name it." in labels


def test_a_model_that_never_ran_is_named_where_it_is_not_drawn(tmp_path: Path) -> None:
    speeds = small_speeds(stops={"wow-seg": (1, "out_of_memory")})
    page = write_efficiency(board(speeds=speeds), tmp_path)
    assert "Not drawn: wow-seg: out of memory." in page.read_text(encoding="utf-8")


def test_where_nothing_was_measured_the_table_says_why(tmp_path: Path) -> None:
    speeds = sweeps.speeds(
        TWO, ways=("together",), stops={model.name: (1, "failed") for model in TWO}
    )
    page = write_efficiency(board(speeds=speeds), tmp_path)
    assert "Nothing could be measured here" in page.read_text(encoding="utf-8")
    assert {row[3] for row in table(page, "-points").rows} == {"failed"}


def test_a_full_measurement_stands_in_the_place_of_a_quick_one() -> None:
    quick = small_speeds(changed={"effort": "quick", "seconds_p50": 99.0})
    both = pd.concat([quick, small_speeds(), quick], ignore_index=True)
    (sweep,) = shown_sweeps(board(speeds=both), ())
    assert {record["effort"] for record in sweep.speeds[0].records} == {"full"}


def test_modes_of_one_model_are_curves_with_names_of_their_own() -> None:
    modes = [m._replace(name="wow-seg") for m in TWO]
    (sweep,) = shown_sweeps(board(costs=sweeps.costs(modes, instances=FEW)), ())
    labels = [row.label for row in sweep.costs[0].blocks[0].rows]
    assert labels[:2] == ["wow-seg · cascade", "wow-seg · shared-prefix"]
    assert len(set(labels[2:])) == 2


def scored(made: boards.Made, **changed: Any) -> pd.DataFrame:
    """Speeds of what a run's answers came from."""
    model = sweeps.Model("tiny", "wow-seg", 1_284_352, 0.02, 0.001, "shared-prefix")
    own = {
        "checkpoint_digest": made.row["checkpoint_digest"],
        "settings": made.row["settings"],
        "random_weights": False,
    }
    return sweeps.speeds([model], instances=FEW, changed=own | changed)


def test_quality_stands_beside_the_speed_of_the_same_model(tmp_path: Path) -> None:
    made = boards.run("tiny-sm", images=5)
    page = write_efficiency(board(speeds=scored(made), made=[made]), tmp_path)
    (row,) = next(t for name, t in pages.tables(page).items() if "-quality-" in name).rows
    assert row[0].startswith("tiny ")
    assert row[2].startswith(f"{made.scores[0][3] * 100:.2f} [")
    assert len(list(tmp_path.glob("efficiency/*quality*.svg"))) == 1


@pytest.mark.parametrize(
    "changed",
    [{"random_weights": True}, {"checkpoint_digest": "other"}, {"settings": "scale=1"}],
    ids=str,
)
def test_quality_of_anything_else_is_not_shown(tmp_path: Path, changed: dict[str, Any]) -> None:
    made = boards.run("tiny-sm", images=5)
    write_efficiency(board(speeds=scored(made, **changed), made=[made]), tmp_path)
    assert not list(tmp_path.glob("efficiency/*quality*"))


def test_an_incomplete_or_partial_run_is_no_quality(tmp_path: Path) -> None:
    for at, made in enumerate(
        (boards.run("a", images=5, errored=1), boards.run("a", images=5, part=2))
    ):
        write_efficiency(board(speeds=scored(made), made=[made]), tmp_path / str(at))
    assert not list(tmp_path.rglob("*quality*"))


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
    plain = write_efficiency(board(speeds=small_speeds()), tmp_path / "plain")
    assert "†" not in plain.read_text()
