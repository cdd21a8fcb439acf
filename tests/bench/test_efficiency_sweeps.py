"""``bench efficiency`` from end to end, with a model that answers at once."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from bench import cli
from bench.config import load_config
from bench.efficiency.records import CostRecord, SpeedRecord, comparable
from bench.efficiency.storing import read_record, read_records
from bench.errors import StoreError
from bench.manifest import HardwareRecord
from tests.bench.sweeps import (
    PLAIN,
    SWEEP,
    Efficiency,
    efficiency,
    installed,
    paced,
    place,
    records_in,
    speeds,
)

__all__ = ["efficiency", "installed", "paced", "place"]


def test_every_point_is_a_file(efficiency: Efficiency, place: Path) -> None:
    code, printed = efficiency()
    assert code == 0
    assert len(printed["records"]) == 12  # cost and speed, two ways, three numbers of regions
    assert {Path(record["path"]).parent for record in printed["records"]} == {
        place / "efficiency" / "main" / "one"
    }
    records = read_records(place / "efficiency")
    assert len(records) == 12
    assert len({record.key for record in records}) == 12


def test_a_cost_is_split_into_phases(efficiency: Efficiency, place: Path) -> None:
    efficiency("--measure", "cost")
    costs = {
        (r.way, r.instances): r
        for r in read_records(place / "efficiency")
        if isinstance(r, CostRecord)
    }
    together = costs["together", 4]
    assert (together.vision_flops, together.prefill_flops, together.decode_flops) == (
        1000,
        400,
        160,
    )
    assert costs["alone", 4].flops == 4560
    assert "host" not in together.model_dump_json()


def test_a_speed_says_what_it_depends_on(efficiency: Efficiency, place: Path) -> None:
    efficiency("--measure", "speed")
    record = read_records(place / "efficiency")[0]
    assert isinstance(record, SpeedRecord)
    assert record.subject.random_weights
    assert record.subject.prompt == "What is it?"
    assert record.audits is not None
    assert record.audits.outputs_equal
    assert record.hardware.cores >= 1
    assert record.effort == "quick"
    assert len(record.rounds) == 3
    assert record.seconds_p50 is not None


def test_an_adapter_says_how_it_cuts_a_picture(efficiency: Efficiency, place: Path) -> None:
    efficiency()
    found = {(r.kind, r.geometry.tiles, r.geometry.region_tokens) for r in records_in(place)}
    assert found == {("cost", "12 of 64", 27), ("speed", "12 of 64", None)}


def test_a_query_is_counted_once(efficiency: Efficiency, paced: ModuleType) -> None:
    models = "{one: {adapter: paced, preset: small, settings: {length: 17}}}"
    efficiency("--measure", "cost", models=models)
    assert paced.COUNTED == [("small", 1), ("small", 2), ("small", 4)]  # none for those alone


def test_a_second_sweep_does_nothing(efficiency: Efficiency) -> None:
    _, first = efficiency()
    code, second = efficiency()
    assert code == 0
    assert {record["fresh"] for record in first["records"]} == {True}
    assert {record["fresh"] for record in second["records"]} == {False}
    assert [r["path"] for r in second["records"]] == [r["path"] for r in first["records"]]


def test_again_measures_anew(efficiency: Efficiency) -> None:
    efficiency()
    _, printed = efficiency("--again")
    assert {record["fresh"] for record in printed["records"]} == {True}


def test_a_missing_point_is_measured_alone(efficiency: Efficiency) -> None:
    _, first = efficiency("--measure", "speed")
    gone = first["records"][2]
    Path(gone["path"]).unlink()
    _, second = efficiency("--measure", "speed")
    assert [r["path"] for r in second["records"] if r["fresh"]] == [gone["path"]]


def test_another_machine_does_not_resume_from_this_one(
    efficiency: Efficiency, monkeypatch: pytest.MonkeyPatch
) -> None:
    efficiency("--measure", "speed")
    there = HardwareRecord(
        host="there", platform="Linux", cpu="Other CPU", cores=64, memory_gib=256.0
    )
    monkeypatch.setattr("bench.provenance.hardware", lambda device: there)
    _, printed = efficiency("--measure", "speed")
    assert {record["fresh"] for record in printed["records"]} == {True}


def test_another_number_of_threads_is_another_machine(
    efficiency: Efficiency, monkeypatch: pytest.MonkeyPatch
) -> None:
    efficiency("--measure", "speed")
    monkeypatch.setattr("torch.get_num_threads", lambda: 99)
    _, printed = efficiency("--measure", "speed")
    assert {record["fresh"] for record in printed["records"]} == {True}
    assert {record["threads"] for record in printed["records"]} == {99}


def test_speeds_of_different_hardware_are_not_compared(efficiency: Efficiency, place: Path) -> None:
    efficiency("--measure", "speed")
    first, second, *_ = read_records(place / "efficiency")
    assert isinstance(first, SpeedRecord)
    assert isinstance(second, SpeedRecord)
    assert comparable(first, second) is None
    hardware = second.hardware.model_copy(update={"accelerator": "NVIDIA H100"})
    there = second.model_copy(update={"hardware": hardware})
    assert comparable(first, there) == (
        f"another hardware: {first.hardware.cpu}, {first.hardware.cores} cores and NVIDIA H100"
    )
    failed = second.model_copy(update={"outcome": "failed"})
    assert comparable(first, failed) == f"one at {second.instances}: failed"
    longer = second.model_copy(update={"tokens": 64})
    assert comparable(first, longer) == "another decoding: forced 4 and forced 64"


def test_both_ways_of_decoding(efficiency: Efficiency) -> None:
    models = "{one: {adapter: paced, preset: small}}\n    decode: [natural, forced]"
    _, printed = efficiency("--measure", "speed", models=models)
    found = {(r["decode"], r["tokens_per_region"]) for r in speeds(printed)}
    assert found == {("natural", 3.0), ("forced", 4.0)}


def test_a_model_of_the_configuration_can_be_left_empty(
    efficiency: Efficiency, place: Path
) -> None:
    models = "{one: {}}\nmodels:\n  one: {adapter: paced, preset: small}"
    _, printed = efficiency("--measure", "cost", models=models)
    assert len(printed["records"]) > 0


@pytest.mark.parametrize(
    ("words", "models", "message"),
    [
        (["mian"], PLAIN, "did you mean 'main'?"),
        (["--model", "two"], PLAIN, "sweep 'main' has no model 'two'"),
        ([], "{one: {adapter: paced, preset: smal}}", "did you mean 'small'?"),
        (
            [],
            "{one: {adapter: paced, preset: small, settings: {limits: 1}}}",
            "sweeps.main.models.one: adapter 'paced' has no setting 'limits'",
        ),
        ([], "{one: {adapter: pased, preset: small}}", "did you mean 'paced'"),
    ],
)
def test_misspelt_names_get_the_nearest(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    models: str,
    message: str,
) -> None:
    (place / "bench.yaml").write_text(SWEEP.replace("MODELS", models))
    assert cli.run(["efficiency", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_tables_show_every_point(
    efficiency: Efficiency, capsys: pytest.CaptureFixture[str]
) -> None:
    efficiency()
    assert cli.run(["efficiency", "--preset", "quick", "--no-report"]) == 0
    printed = capsys.readouterr().out
    assert "computed cost" in printed
    assert "measured speed" in printed
    assert "1.37x" in printed  # (1000 + 4 * 140) to (1000 + 140)


def test_speeds_whose_audits_failed_are_marked(
    efficiency: Efficiency, capsys: pytest.CaptureFixture[str]
) -> None:
    hurried = "{one: {adapter: paced, preset: small, settings: {hurries: true}}}"
    efficiency("--measure", "speed", models=hurried)
    cli.run(["efficiency", "--preset", "quick", "--measure", "speed", "--no-report"])
    printed = capsys.readouterr().out
    assert printed.count("†") == 2 * 6 + 1
    assert "† An audit of the point failed" in printed


def test_a_record_of_a_newer_version_is_refused(efficiency: Efficiency, place: Path) -> None:
    _, printed = efficiency("--measure", "cost")
    path = Path(printed["records"][0]["path"])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(StoreError, match="update regionbench"):
        read_records(place / "efficiency")


@pytest.mark.parametrize("version", [0, -1])
def test_a_record_of_no_version_is_refused(
    efficiency: Efficiency, place: Path, version: int
) -> None:
    _, printed = efficiency("--measure", "cost")
    path = Path(printed["records"][0]["path"])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": version}))
    with pytest.raises(StoreError, match=r"has no usable schema_version"):
        read_records(place / "efficiency")


def test_a_cost_of_the_first_version_was_computed(efficiency: Efficiency, place: Path) -> None:
    _, printed = efficiency("--measure", "cost")
    path = Path(printed["records"][0]["path"])
    values = json.loads(path.read_text())
    for later in ("outcome", "reason"):
        del values[later]
    path.write_text(json.dumps(values | {"schema_version": 1}))
    record = read_record(path)
    assert isinstance(record, CostRecord)
    assert (record.outcome, record.reason, record.flops) == ("computed", None, 1140)
    _, again = efficiency("--measure", "cost")
    assert {record["fresh"] for record in again["records"]} == {False}


def test_a_damaged_record_is_named(place: Path) -> None:
    path = place / "efficiency" / "main" / "one" / "x.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"schema_version": 1, "kind": "cost"}')
    with pytest.raises(StoreError, match=r"x\.json cannot be read"):
        read_records(place / "efficiency")


def test_the_sweeps_of_the_projects_file_can_be_loaded(repository: Path) -> None:
    from bench.efficiency.contenders import contenders

    config = load_config(repository / "bench.yaml")
    assert list(config.contents.sweeps) == [
        "quick",
        "published",
        "published-800x600",
        "published-speed",
    ]
    for name, sweep in config.contents.sweeps.items():
        assert contenders(config, name, sweep, [], None)
