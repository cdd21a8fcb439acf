"""The benchmark of captured steps: its ways of asking, and its table."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

import adapters
from adapters.interface import Answer, RegionRecognizer, Task
from adapters.wow_seg.adapter import WowSegRecognizer
from adapters.wow_seg.settings import MultiInstance
from bench.efficiency.scenes import draw_scene
from benchmarks.captured_steps import MODELS, Row, authors, launching, main, runs, table


@cache
def loaded(name: str) -> RegionRecognizer:
    settings: dict[str, Any] = {"max_tiles": 1} if name == "wow-seg" else {}
    return adapters.load(name, preset="mid", device="cpu", **settings)


@pytest.mark.parametrize("name", sorted({*MODELS.values()} - {"pam"}))  # PAM's tower takes long
def test_every_way_answers_the_same(name: str) -> None:
    task = Task.DESCRIPTION if name == "dam" else Task.CATEGORY
    scene = draw_scene(0, 2, (160, 120))
    found: dict[str, list[Answer]] = {
        way: run(scene) for way, run in runs(loaded(name), task, 2, 3).items()
    }
    assert list(found) == ["authors' loop", "launched", "captured"]
    answers = [[answer.token_ids for answer in one] for one in found.values()]
    assert answers[0] == answers[1] == answers[2]


def stepper_of(model: Any) -> object:
    return (model.context if isinstance(model, WowSegRecognizer) else model).stepper


@pytest.mark.parametrize("name", sorted(set(MODELS.values())))
def test_the_other_ways_take_no_captured_steps(name: str) -> None:
    model: Any = copy.copy(loaded(name))
    stepper: Any = object()
    if isinstance(model, WowSegRecognizer):
        model.context = replace(model.context, stepper=stepper)
        loop = authors(model)
        assert isinstance(loop, WowSegRecognizer)
        assert loop.context.settings.multi_instance is MultiInstance.SINGLE
    else:
        model.stepper = stepper
        assert stepper_of(authors(model)) is None
    assert stepper_of(launching(model)) is None
    assert stepper_of(model) is stepper


def test_the_table_compares_with_one_region_where_it_was_measured() -> None:
    def row(model: str, regions: int, captured: list[float], loop: list[float]) -> Row:
        times = {"authors' loop": loop, "launched": [1.0], "captured": captured}
        return Row(model, regions, times, 0.5)

    rows = [row("a", 8, [0.3, 0.5, 0.4], [4.0]), row("a", 1, [0.2], []), row("b", 8, [0.25], [])]
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table(rows).splitlines()[2:]
    ]
    assert cells[0] == (
        ["a", "8", "4.00", "1.000", "0.400 (0.300–0.500)", "10.0x", "2.5x", "2.00", "20", "50%"]
    )
    assert [line[7] for line in cells] == ["2.00", "1.00", ""]
    assert [line[5] for line in cells] == ["10.0x", "", ""]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA device")
def test_without_a_gpu_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["captured_steps"])
    assert main() == 1
    assert "no CUDA device here" in capsys.readouterr().err
