"""Which points share a chart on the efficiency page, and what their curves are called."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from reports.efficiency_page import sweeps as shown_sweeps
from reports.site import write_efficiency
from tests.reports import sweeps
from tests.reports.sweeps import FEW, TWO, board, small_speeds


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


def test_other_prompts_are_other_curves() -> None:
    changed = small_speeds(changed={"prompt": "Name it."})
    both = pd.concat([small_speeds(), changed], ignore_index=True)
    (sweep,) = shown_sweeps(board(speeds=both), ())
    labels = {row.label for row in sweep.speeds[0].blocks[0].rows}
    assert "wow-seg · What is it?" in labels
    assert "wow-seg · Name it." in labels


def test_modes_of_one_model_are_curves_with_names_of_their_own() -> None:
    modes = [m._replace(name="wow-seg") for m in TWO]
    (sweep,) = shown_sweeps(board(costs=sweeps.costs(modes, instances=FEW)), ())
    labels = [row.label for row in sweep.costs[0].blocks[0].rows]
    assert labels[:2] == ["wow-seg · cascade", "wow-seg · shared-prefix"]
    assert len(set(labels[2:])) == 2


def test_a_model_asked_with_one_number_of_tiles_stands_in_no_other_chart() -> None:
    few = sweeps.MODELS[0]._replace(tiles="4+1", shared=3.0)
    other = sweeps.MODELS[1]._replace(tiles="6+1")
    costs = sweeps.costs([sweeps.MODELS[0], few, other, sweeps.MODELS[2]], instances=FEW)
    (sweep,) = shown_sweeps(board(costs=costs), ())
    assert {part.title: {row[0] for row in part.rows} for part in sweep.costs} == {
        "Computed cost, 12+1 tiles": {"wow-seg", "pam-1.5b"},
        "Computed cost, 6+1 tiles": {"wow-seg-cascade", "pam-1.5b"},
        "Computed cost, 4+1 tiles": {"wow-seg", "pam-1.5b"},
    }


def test_models_that_cut_differently_say_so_where_they_share_a_chart() -> None:
    models = [TWO[0], TWO[1]._replace(tiles="1"), sweeps.MODELS[2]]
    (sweep,) = shown_sweeps(board(costs=sweeps.costs(models, instances=FEW)), ())
    (part,) = sweep.costs
    assert part.title == "Computed cost"
    assert {row[0] for row in part.rows} == {
        "wow-seg · 12+1 tiles",
        "wow-seg-cascade · 1 tile",
        "pam-1.5b",
    }
    assert "tile" not in part.made


def test_models_that_cut_alike_say_so_below_the_charts_titles() -> None:
    models = [*TWO, sweeps.MODELS[2]]
    (sweep,) = shown_sweeps(board(costs=sweeps.costs(models, instances=FEW)), ())
    (part,) = sweep.costs
    assert part.title == "Computed cost"
    assert part.made.startswith("640×480 picture, 12+1 tiles; ")
    for figure in part.blocks[0].figures:
        assert "picture, 12+1 tiles" in figure.svg
    assert {row[0] for row in part.rows} == {model.name for model in models}


def test_models_that_cut_no_tiles_have_none_named() -> None:
    (sweep,) = shown_sweeps(board(costs=sweeps.costs(sweeps.MODELS[2:4])), ())
    assert "tile" not in sweep.costs[0].made
