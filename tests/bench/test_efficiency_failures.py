"""``bench efficiency`` where points do not fit, cannot be asked, or fail."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tests.bench.sweeps import Efficiency, efficiency, installed, paced, place, speeds

__all__ = ["efficiency", "installed", "paced", "place"]


def outcomes(printed: dict[str, Any]) -> dict[tuple[str, int], str]:
    return {(r["way"], r["instances"]): r["outcome"] for r in speeds(printed)}


def test_out_of_memory_is_a_point(efficiency: Efficiency) -> None:
    models = "{one: {adapter: paced, preset: small, settings: {breaks: memory, breaks_at: 4}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 0
    assert outcomes(printed) == {
        ("together", 1): "measured",
        ("together", 2): "measured",
        ("together", 4): "out_of_memory",
        ("alone", 1): "measured",
        ("alone", 2): "measured",
        ("alone", 4): "measured",
    }
    _, again = efficiency("--measure", "speed", models=models)
    assert {record["fresh"] for record in again["records"]} == {False}


def test_more_regions_than_a_model_takes_is_a_point(efficiency: Efficiency) -> None:
    models = "{one: {adapter: paced, preset: small, settings: {limit: 2}}}"
    code, printed = efficiency(models=models)
    assert code == 0
    assert outcomes(printed)["together", 4] == "not_possible"
    costs = {(r["way"], r["instances"]): r for r in printed["records"] if r["kind"] == "cost"}
    beyond = costs["together", 4]
    assert (beyond["outcome"], beyond["vision_flops"]) == ("not_possible", None)
    assert "exceeds the context of 100" in beyond["reason"]
    assert costs["alone", 4]["outcome"] == "computed"
    assert printed["skipped"] == []


def test_what_was_left_when_a_model_failed_is_asked_when_it_is_loaded_again(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    models = (
        "{one: {adapter: paced, preset: small, settings: {breaks: device, breaks_at: 2}}, "
        "two: {adapter: paced, preset: small}}"
    )
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 3
    found = {
        (r["subject"]["model"], r["way"], r["instances"]): r["outcome"] for r in speeds(printed)
    }
    assert len(found) == len(speeds(printed)) == 12
    assert {point for point, outcome in found.items() if outcome == "failed"} == {
        ("one", "together", 2),
        ("one", "together", 4),
    }
    assert printed["skipped"] == []
    assert paced.LOADED == []


def test_a_model_that_always_fails_is_not_loaded_for_every_point(
    efficiency: Efficiency, paced: ModuleType
) -> None:
    models = "{one: {adapter: paced, preset: small, settings: {breaks: device}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 3
    assert [r["outcome"] for r in speeds(printed)] == ["failed"] * 3
    (reason,) = printed["skipped"]
    assert "one, max_tiles 12: not asked after failing every time: 1 alone" in reason


def test_a_device_that_is_gone_makes_failed_points_of_all_that_is_left(
    efficiency: Efficiency, paced: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = paced.load_model

    def loading(*given: Any, **settings: Any) -> Any:
        if settings.get("device") != "meta" and paced.ASKED:
            raise RuntimeError(paced.BROKEN["device"])
        return load(*given, **settings)

    monkeypatch.setattr(paced, "load_model", loading)
    models = "{one: {adapter: paced, preset: small, settings: {breaks: device, breaks_at: 2}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 3
    assert set(outcomes(printed).values()) == {"failed"}
    reasons = [record["reason"] for record in speeds(printed)]
    assert sum("it could not be loaded" in reason for reason in reasons) == 5


def test_what_failed_is_tried_again(efficiency: Efficiency) -> None:
    models = "{one: {adapter: paced, preset: small, settings: {breaks: device, breaks_at: 2}}}"
    efficiency("--measure", "speed", models=models)
    _, printed = efficiency("--measure", "speed", models=models)
    failed = {(r["way"], r["instances"]) for r in speeds(printed) if r["fresh"]}
    assert failed == {("together", 2), ("together", 4)}
    assert {r["outcome"] for r in speeds(printed) if r["fresh"]} == {"failed"}


def test_a_model_that_cannot_be_loaded_fails_at_every_point(efficiency: Efficiency) -> None:
    models = "{one: {adapter: paced, preset: small, settings: {breaks: load}}}"
    code, printed = efficiency("--measure", "speed", models=models)
    assert code == 3
    assert set(outcomes(printed).values()) == {"failed"}
    assert "could not be loaded" in speeds(printed)[0]["reason"]


def test_a_cost_that_fails_is_a_point_and_the_sweep_goes_on(efficiency: Efficiency) -> None:
    models = (
        "{one: {adapter: paced, preset: small, settings: {breaks: cost, breaks_at: 4}}, "
        "two: {adapter: paced, preset: small}}"
    )
    code, printed = efficiency("--measure", "cost", models=models)
    assert code == 3
    failed = [r for r in printed["records"] if r["outcome"] == "failed"]
    assert [(r["subject"]["model"], r["way"], r["instances"]) for r in failed] == [
        ("one", "together", 4)
    ]
    assert (failed[0]["reason"], failed[0]["decode_flops"]) == ("KeyError: 'layers'", None)
    assert len(printed["records"]) == 12
    _, again = efficiency("--measure", "cost", models=models)
    assert [r["outcome"] for r in again["records"] if r["fresh"]] == ["failed"]


def test_an_adapter_that_cannot_say_how_it_cuts_loses_its_model_only(
    efficiency: Efficiency,
) -> None:
    models = (
        "{one: {adapter: paced, preset: small, settings: {breaks: cut}}, "
        "two: {adapter: paced, preset: small}}"
    )
    code, printed = efficiency(models=models)
    assert code == 3
    assert {r["subject"]["model"] for r in printed["records"]} == {"two"}
    assert len(printed["records"]) == 12
    assert printed["skipped"] == [
        "one, max_tiles 12: no cost could be computed: ZeroDivisionError: no tile is that small",
        "one, max_tiles 12: it could not be loaded: ZeroDivisionError: no tile is that small",
    ]


def test_an_adapter_without_a_cost_is_told_and_measured(efficiency: Efficiency) -> None:
    models = "{one: {adapter: costless, preset: small}}"
    code, printed = efficiency(models=models)
    assert code == 0
    assert {record["kind"] for record in printed["records"]} == {"speed"}
    assert printed["skipped"] == [
        "one: adapter 'costless' cannot compute its cost; measure its speed"
    ]


def test_nothing_measured_is_exit_code_three(efficiency: Efficiency) -> None:
    models = "{one: {adapter: costless, preset: small}}"
    code, printed = efficiency("--measure", "cost", models=models)
    assert (code, printed["records"]) == (3, [])
