"""Numbers of regions at which a model has no cost or no speed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reports.site import write_efficiency
from tests.reports import sweeps
from tests.reports.sweeps import TWO, board, small_costs, small_speeds, table


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
    costs = sweeps.lacking(small_costs(), "wow-seg", [32], outcome)
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


def test_where_no_cost_could_be_computed_the_table_says_why(tmp_path: Path) -> None:
    costs = sweeps.costs(TWO[:1], instances=(32,), ways=("together",))
    page = write_efficiency(
        board(costs=sweeps.lacking(costs, "wow-seg", [32], "not_possible")), tmp_path
    )
    assert "Nothing could be measured here" in page.read_text(encoding="utf-8")
    assert [row[-2] for row in table(page, "-points").rows] == ["not possible"]


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


@pytest.mark.parametrize("outcome", ["out_of_memory", "failed"])
def test_no_curve_is_drawn_across_a_number_without_a_value(tmp_path: Path, outcome: str) -> None:
    speeds = sweeps.speeds(TWO[:1], ways=("together",))
    whole = write_efficiency(board(speeds=speeds), tmp_path / "whole")
    broken = sweeps.lacking(speeds, TWO[0].name, [4], outcome)
    page = write_efficiency(board(speeds=broken), tmp_path / "broken")
    for name in ("throughput", "latency", "relative"):
        (before,) = whole.parent.glob(f"efficiency/*{name}-together.svg")
        (after,) = page.parent.glob(f"efficiency/*{name}-together.svg")
        assert (curves(before), open_marks(before)) == ([6], 0)
        assert (curves(after), open_marks(after)) == ([2, 3], 1)
        assert outcome.replace("_", " ") not in after.read_text()  # it does not end there


def test_a_cost_that_lacks_breaks_its_curve_as_well(tmp_path: Path) -> None:
    costs = sweeps.lacking(sweeps.costs(TWO[:1]), TWO[0].name, [2, 32], "not_possible")
    write_efficiency(board(costs=costs), tmp_path)
    (chart,) = tmp_path.glob("efficiency/*cost-full.svg")
    assert (curves(chart), open_marks(chart)) == ([1, 3], 2)
    assert "wow-seg – not possible" in chart.read_text()


def curves(chart: Path) -> list[int]:
    """How many places each drawn piece of a curve joins."""
    paths = re.findall(r"<path[^>]*stroke-width=\"1.9\"[^>]*>", chart.read_text())
    return [len(re.findall("[ML]", re.findall(r' d="([^"]*)"', path)[0])) for path in paths]


def open_marks(chart: Path) -> int:
    return len(re.findall(r"<path[^>]*stroke-width=\"1.7\"", chart.read_text()))


def test_a_curve_without_a_value_at_one_region_has_no_relative_one(tmp_path: Path) -> None:
    speeds = small_speeds(stops={"wow-seg": (1, "failed")})
    later = (speeds["model"] == "wow-seg") & (speeds["instances"] > 1)
    speeds["effort"] = ["quick" if quick else "full" for quick in later]
    speeds.loc[later, "outcome"] = "measured"
    speeds.loc[later, ["seconds_p50", "regions_per_second"]] = 1.0
    page = write_efficiency(board(speeds=speeds), tmp_path).read_text(encoding="utf-8")
    assert "Not drawn: wow-seg: no value at N = 1." in page
    assert page.count("Quick measurement: wow-seg at N = 4, 32.") == 4  # not below the relative
