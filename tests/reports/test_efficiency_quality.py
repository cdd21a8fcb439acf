"""Quality against speed: only what belongs together, and readable."""

from __future__ import annotations

import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from reports.efficiency_axes import WIDTH
from reports.efficiency_blocks import Figure
from reports.efficiency_page import sweeps as shown_sweeps
from reports.frames import Board
from reports.records import runs_of
from reports.site import write_efficiency
from tests.reports import boards, pages, sweeps
from tests.reports.sweeps import board


def test_quality_stands_beside_the_speed_of_the_same_model(tmp_path: Path) -> None:
    made = boards.run("tiny-sm", images=5)
    page = write_efficiency(board(speeds=sweeps.scored(made), made=[made]), tmp_path)
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
    write_efficiency(board(speeds=sweeps.scored(made, **changed), made=[made]), tmp_path)
    assert not list(tmp_path.glob("efficiency/*quality*"))


def test_an_incomplete_or_partial_run_is_no_quality(tmp_path: Path) -> None:
    for at, made in enumerate(
        (boards.run("a", images=5, errored=1), boards.run("a", images=5, part=2))
    ):
        write_efficiency(board(speeds=sweeps.scored(made), made=[made]), tmp_path / str(at))
    assert not list(tmp_path.rglob("*quality*"))


def test_names_of_close_points_do_not_cover_each_other() -> None:
    found = re.findall(r"translate\(([\d.]+),([\d.]+)\)[^>]*>([^<]+)</text>", quality().svg)
    heights = {name: float(y) for x, y, name in found if float(x) > WIDTH}
    assert set(heights) == {"tiny", "wow-seg", "a-name-that-is-rather-long-in…", "x", "far"}
    for above, below in itertools.pairwise(sorted(heights.values())):
        assert below - above >= 14.9


def test_what_stands_above_the_chart_is_wrapped() -> None:
    figure = quality()
    lines = [text for text in ET.fromstring(figure.svg).itertext() if text != figure.title]
    lines = [line for line in lines if "regions/s" not in line]  # the description
    assert "N = 32; points with 95 % intervals; set 1, wowseg-v1" in lines
    assert "A processor with a name of fifty letters at 2.80 GHz, 2 cores, 2" in lines
    assert max(map(len, lines)) <= 68


def test_a_quick_speed_is_told_below_the_chart() -> None:
    crowd = sweeps.crowded()
    quick = crowd.speeds["effort"].mask(crowd.speeds["model"] == "tiny", "quick")
    told = quality(dataclasses.replace(crowd, speeds=crowd.speeds.assign(effort=quick))).remark
    assert told == "Quick measurement: tiny at N = 32."
    assert quality(crowd).remark == ""


def quality(crowd: Board | None = None) -> Figure:
    """The chart of quality against speed."""
    crowd = crowd or sweeps.crowded()
    (sweep,) = shown_sweeps(crowd, runs_of(crowd))
    (figure,) = sweep.speeds[0].blocks[-1].figures
    return figure
