"""Models of a sweep that take turns, and those that find no room beside others."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.bench.sweeps import Efficiency, efficiency, installed, paced, place, speeds

__all__ = ["efficiency", "installed", "paced", "place"]

ONE = "one: {adapter: paced, preset: small, seed: 1"
TWO = "two: {adapter: paced, preset: small, seed: 2"
BOTH = f"{{{ONE}}}, {TWO}}}}}"
FIRST, SECOND = "one, max_tiles 12", "two, max_tiles 12"
A_ROUND = 10  # calls of a model: one each for 1, 2 and 4 regions together, seven for those alone


def turns(printed: dict[str, Any]) -> dict[str, set[tuple[str, ...]]]:
    """The models that each model took turns with, over all of its points."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for record in speeds(printed):
        found.setdefault(record["subject"]["model"], set()).add(tuple(record["interleaved"]))
    return found


def test_every_round_asks_every_model_about_all_its_points(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    code, printed = efficiency("--measure", "speed", models=BOTH)
    assert code == 0
    asked = [name for name, _ in paced.ASKED]
    assert asked[-6 * A_ROUND :] == (["small-1"] * A_ROUND + ["small-2"] * A_ROUND) * 3
    assert turns(printed) == {"one": {(SECOND,)}, "two": {(FIRST,)}}
    assert paced.LOADED == []


def test_a_sweep_can_ask_one_model_after_the_other(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    _, printed = efficiency("--measure", "speed", models=f"{BOTH}\n    interleave: false")
    asked = [name for name, _ in paced.ASKED]
    assert asked == sorted(asked)
    assert turns(printed) == {"one": {()}, "two": {()}}


def test_a_model_that_cannot_be_loaded_beside_others_follows_them(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    three = "three: {adapter: paced, preset: small}"
    models = f"{{{ONE}}}, {TWO}, settings: {{breaks: room}}}}, {three}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 0
    assert turns(printed) == {
        "one": {()},
        "two": {("three, max_tiles 12",)},
        "three": {(SECOND,)},
    }
    assert {record["outcome"] for record in speeds(printed)} == {"measured"}


def test_a_model_whose_weights_would_not_fit_is_not_tried(
    efficiency: Efficiency, paced: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.efficiency.meter._available", lambda: 7 * 4 * 2 - 1)
    _, printed = efficiency("--measure", "speed", models=BOTH)
    assert turns(printed) == {"one": {()}, "two": {()}}


def test_a_point_that_others_leave_no_room_for_is_asked_alone(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    models = f"{{{ONE}, settings: {{breaks: crowd, breaks_at: 4}}}}, {TWO}}}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 0
    assert {record["outcome"] for record in speeds(printed)} == {"measured"}
    alone = [r for r in speeds(printed) if r["interleaved"] == []]
    assert [(r["subject"]["model"], r["way"], r["instances"]) for r in alone] == [
        ("one", "together", 4)
    ]
    assert paced.LOADED == []


def test_out_of_memory_without_others_is_a_point_of_its_own(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    models = f"{{{ONE}, settings: {{breaks: memory, breaks_at: 4}}}}, {TWO}}}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 0
    (gone,) = [r for r in speeds(printed) if r["outcome"] == "out_of_memory"]
    assert (gone["subject"]["model"], gone["instances"], gone["interleaved"]) == ("one", 4, [])
    assert len(speeds(printed)) == 12


def test_a_model_that_failed_goes_on_when_the_others_are_done(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    models = f"{{{ONE}, settings: {{breaks: device, breaks_at: 2}}}}, {TWO}}}}}"
    code, _ = efficiency("--measure", "speed", models=models)
    assert code == 3
    failed = paced.ASKED.index(("small-1", 2))
    last = max(i for i, asked in enumerate(paced.ASKED) if asked[0] == "small-2")
    assert {name for name, _ in paced.ASKED[failed + 1 : last]} == {"small-2"}
    assert {name for name, _ in paced.ASKED[last + 1 :]} == {"small-1"}


def test_only_models_with_something_to_measure_are_loaded(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    _, printed = efficiency("--measure", "speed", models=BOTH)
    gone = speeds(printed)[-1]
    Path(gone["path"]).unlink()
    paced.ASKED.clear()
    _, again = efficiency("--measure", "speed", models=BOTH)
    assert [(r["path"], r["interleaved"]) for r in again["records"] if r["fresh"]] == [
        (gone["path"], [])
    ]
    assert {name for name, _ in paced.ASKED} == {"small-2"}
