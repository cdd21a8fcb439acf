"""Sweeps that are stopped between or within rounds, and go on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench.efficiency.drafts import SUFFIX
from bench.efficiency.hardware import Neighbours
from tests.bench.sweeps import Efficiency, efficiency, installed, paced, place, records_in, speeds

__all__ = ["efficiency", "installed", "paced", "place"]

BOTH = "{one: {adapter: paced, preset: small}, two: {adapter: paced, preset: small, seed: 1}}"
A_ROUND = 10  # calls of a model: one each for 1, 2 and 4 regions together, seven for those alone
WARM_UP = 3 * A_ROUND
AUDITS = 5 * A_ROUND  # two pictures twice, one in a plain call
STOPPED = 3

Stop = Callable[[int], None]


@pytest.fixture
def stop_after(paced: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Stop:
    """Press Ctrl-C when so many queries have been answered; 0 takes that back."""
    answer = paced.PacedModel._answer

    def set_limit(calls: int) -> None:
        paced.ASKED.clear()

        def answering(*inputs: Any) -> Any:
            if calls and len(paced.ASKED) >= calls:
                raise KeyboardInterrupt
            return answer(*inputs)

        monkeypatch.setattr(paced.PacedModel, "_answer", answering)

    return set_limit


def drafts(place: Path) -> list[Path]:
    return sorted(place.rglob(f"*{SUFFIX}"))


def measure(efficiency: Efficiency, *words: str, models: str = BOTH) -> tuple[int, dict[str, Any]]:
    return efficiency("--measure", "speed", *words, models=models)


def test_a_stopped_sweep_measures_only_the_rounds_it_lacks(
    efficiency: Efficiency, paced: ModuleType, place: Path, stop_after: Stop
) -> None:
    stop_after(2 * (WARM_UP + AUDITS) + 2 * A_ROUND + A_ROUND + 2)  # in the second round
    assert measure(efficiency)[0] == STOPPED
    assert records_in(place) == []
    before = {d.with_suffix(".json"): json.loads(d.read_text())["found"] for d in drafts(place)}
    assert Counter(len(found["rounds"]) for found in before.values()) == {1: 4, 2: 8}
    stop_after(0)
    code, printed = measure(efficiency)
    assert code == 0
    assert len(paced.ASKED) == 2 * (WARM_UP + 3 * A_ROUND) - (3 * A_ROUND + 2)
    assert drafts(place) == []
    for record in speeds(printed):
        found = before[place / record["path"]]
        known = [[seconds for seconds, _ in laps] for laps in found["rounds"]]
        assert len(record["rounds"]) == 3
        assert record["rounds"][: len(known)] == known
        assert record["audits"] == found["audits"]
        assert record["first_query_seconds"] == found["first"]
        assert record["tokens_per_region"] == 4
        assert "went on later, times: 1" in record["warnings"][-1]


def test_a_sweep_stopped_in_its_warm_up_begins_anew(
    efficiency: Efficiency, paced: ModuleType, place: Path, stop_after: Stop
) -> None:
    stop_after(WARM_UP)
    assert measure(efficiency)[0] == STOPPED
    assert drafts(place) == []
    stop_after(0)
    _, printed = measure(efficiency)
    assert len(paced.ASKED) == 2 * (WARM_UP + AUDITS + 3 * A_ROUND)
    assert not any("went on later" in w for r in speeds(printed) for w in r["warnings"])


def test_points_that_are_measured_need_no_model(
    efficiency: Efficiency, paced: ModuleType, place: Path, stop_after: Stop
) -> None:
    one = "{one: {adapter: paced, preset: small}}"
    stop_after(WARM_UP + AUDITS + 3 * A_ROUND - 1)  # the last query of the last round
    assert measure(efficiency, models=one)[0] == STOPPED
    stop_after(0)
    code, _ = measure(efficiency, models=one)
    assert code == 0
    assert paced.ASKED == [("small-0", 1)] * (3 * 4 + 4)  # the last point, four regions alone


def test_what_was_there_before_the_stop_is_told(
    efficiency: Efficiency, stop_after: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beside(load: float, *processes: str) -> None:
        neighbours = Neighbours(2, load, processes)
        monkeypatch.setattr("bench.efficiency.hardware.look_around", lambda: neighbours)

    beside(0.1, "4711, train.py, 40000 MiB")
    stop_after(2 * (WARM_UP + AUDITS) + 5 * A_ROUND)
    measure(efficiency)
    stop_after(0)
    beside(0.3, "4712, other.py, 10 MiB")
    _, printed = measure(efficiency)
    for record in speeds(printed):
        assert record["foreign_processes"] == [
            "4711, train.py, 40000 MiB",
            "4712, other.py, 10 MiB",
        ]
        assert record["load_average"] == 0.3
        assert any("4711, train.py" in warning for warning in record["warnings"])


def test_what_is_measured_anew_goes_on_as_well(
    efficiency: Efficiency, paced: ModuleType, stop_after: Stop
) -> None:
    measure(efficiency)
    stop_after(2 * (WARM_UP + AUDITS) + 5 * A_ROUND)
    assert measure(efficiency, "--again")[0] == STOPPED
    stop_after(0)
    assert measure(efficiency, "--again")[0] == 0
    assert len(paced.ASKED) == WARM_UP + A_ROUND  # the last round of the second model


@pytest.mark.parametrize("change", ["code", "uncommitted code", "partners", "damage", "machine"])
def test_rounds_of_other_circumstances_are_measured_anew(
    efficiency: Efficiency,
    paced: ModuleType,
    place: Path,
    stop_after: Stop,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    stop_after(2 * (WARM_UP + AUDITS) + 5 * A_ROUND)
    assert measure(efficiency)[0] == STOPPED
    stop_after(0)
    words: list[str] = []
    if change == "code":
        monkeypatch.setattr("bench.provenance.code", _with_another_commit())
    if change == "uncommitted code":
        monkeypatch.setattr("bench.efficiency.drafts.local_changes", lambda: "others")
    if change == "partners":
        words = ["--model", "one"]
    if change == "damage":
        for draft in drafts(place):
            draft.write_text(draft.read_text()[:100])
    if change == "machine":
        monkeypatch.setattr("bench.provenance.platform.platform", lambda: "another kernel")
    code, printed = measure(efficiency, *words)
    assert code == 0
    models = 1 if change == "partners" else 2
    assert len(paced.ASKED) == models * (WARM_UP + AUDITS + 3 * A_ROUND)
    assert {len(record["rounds"]) for record in speeds(printed)} == {3}


def _with_another_commit() -> Callable[[], Any]:
    from bench.provenance import code

    changed = code().model_copy(update={"commit": "another"})
    return lambda: changed
