"""``bench report`` on stored efficiency records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.config import SpeedGate
from bench.efficiency.records import Audits, CostRecord, Geometry, SpeedRecord, Subject
from bench.efficiency.storing import write_record
from bench.efficiency_frames import efficiency_frames
from bench.errors import StoreError
from bench.gating.speeds import read_speeds
from bench.manifest import CodeRecord, HardwareRecord
from reports.efficiency_records import costs_of, speeds_of
from reports.frames import COST_COLUMNS, SPEED_COLUMNS
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]

POINT: dict[str, Any] = {
    "subject": Subject(
        model="one",
        adapter="wow-seg",
        revision=3,
        checkpoint="preset:mid",
        checkpoint_digest="ab12",
        random_weights=True,
        dtype="float32",
        settings={"scale": 2, "multi_instance": "shared-prefix"},
        parameters=1_234,
        prompt="What is it?",
    ),
    "geometry": Geometry(width=640, height=480, tiles="12+1", region_tokens=None),
    "way": "together",
    "mode": "shared-prefix",
    "tokens": 32,
}


def cost(instances: int, **changed: Any) -> CostRecord:
    computed: dict[str, Any] = {
        "outcome": "computed",
        "vision_flops": 2**60 + 1,
        "prefill_flops": 10,
        "decode_flops": instances,
        "kv_cache_bytes": 4_096,
    }
    return CostRecord(**POINT, instances=instances, parameters=1_234, **(computed | changed))


def speed(instances: int, **changed: Any) -> SpeedRecord:
    hardware = HardwareRecord(
        host="here", platform="Linux", cpu="Example", cores=2, memory_gib=8.0, accelerator=None
    )
    measured: dict[str, Any] = {
        "rounds": ((0.5, 0.6), (0.7,)),
        "device_seconds": ((0.4, 0.5), (0.6,)),
        "seconds_p50": 0.6,
        "seconds_p90": 0.69,
        "regions_per_second": instances / 0.6,
        "audits": Audits(outputs_equal=True, repeat_ratio=0.99, repeat_ok=True),
    }
    return SpeedRecord(
        **POINT,
        instances=instances,
        decode="forced",
        effort="quick",
        device="cpu",
        hardware=hardware,
        driver=None,
        attention="sdpa",
        interleaved=("two", "three"),
        threads=2,
        load_average=0.4,
        started="2026-06-01T12:00:00+00:00",
        code=CodeRecord(version="1", commit="9f2c", dirty=False, python="3.11", packages={}),
        **({"outcome": "measured"} | measured | changed),
    )


UNCOUNTED: dict[str, Any] = dict.fromkeys(
    ("vision_flops", "prefill_flops", "decode_flops", "kv_cache_bytes")
)
NOTHING: dict[str, Any] = {
    "outcome": "out_of_memory",
    "reason": "no room",
    "rounds": (),
    "device_seconds": None,
    "seconds_p50": None,
    "seconds_p90": None,
    "regions_per_second": None,
    "audits": None,
}


@pytest.fixture
def swept(workplace: Path) -> Path:
    """The workplace after a sweep of one model; the last point ran out of memory."""
    beyond = cost(64, outcome="not_possible", reason="no context", **UNCOUNTED)
    for record in (cost(1), cost(32), beyond, speed(1), speed(32, **NOTHING)):
        write_record(workplace / "efficiency", "demo", record)
    return workplace


def test_records_become_the_frames_of_the_report(swept: Path) -> None:
    frames = efficiency_frames(swept / "efficiency")
    assert tuple(frames.costs.columns) == COST_COLUMNS
    assert tuple(frames.speeds.columns) == SPEED_COLUMNS
    first, last, _ = costs_of(frames.costs)
    assert (first.question.sweep, first.instances, last.instances) == ("demo", 1, 32)
    assert last.flops == 2**60 + 1 + 10 + 32
    assert first.subject.settings == "multi_instance=shared-prefix, scale=2"
    assert first.subject.prompt == "What is it?"
    beyond = frames.costs.iloc[-1]
    assert (beyond["outcome"], beyond["reason"], beyond["vision_flops"]) == (
        "not_possible",
        "no context",
        None,
    )
    measured, stopped = speeds_of(frames.speeds)
    assert (measured.device, measured.effort, measured.interleaved) == (
        "cpu",
        "quick",
        "two; three",
    )
    assert measured.question.hardware == "Example, 2 cores, 2 threads"
    assert (measured.queries, measured.device_seconds_p50) == (3, 0.5)
    assert (measured.outputs_equal, measured.repeat_ratio) == (True, 0.99)
    assert (stopped.measured, stopped.outcome, stopped.reason) == (
        False,
        "out_of_memory",
        "no room",
    )


def test_the_board_shows_the_sweep(swept: Path, bench: Bench) -> None:
    assert bench("report") == 0
    assert 'href="efficiency.html"' in (swept / "site" / "index.html").read_text()
    page = (swept / "site" / "efficiency.html").read_text()
    assert "Measured on Example, 2 cores, 2 threads" in page
    assert "out of memory" in page


def test_only_efficiency_writes_nothing_else(swept: Path, bench: Bench, capsys: Captured) -> None:
    assert bench("report", "--only", "efficiency") == 0
    assert Path(capsys.readouterr().out.strip()) == swept / "site" / "efficiency.html"
    assert {path.name for path in (swept / "site").iterdir()} == {
        "efficiency",
        "efficiency.html",
        "site-files.json",
    }
    assert bench("report", "--only", "efficiency", "--json") == 0
    page = str(swept / "site" / "efficiency.html")
    assert json.loads(capsys.readouterr().out)["page"] == page


def test_without_records_there_is_nothing_to_show(bench: Bench, workplace: Path) -> None:
    assert bench("report", "--only", "efficiency") == 3
    assert not (workplace / "site").exists()
    assert bench("report") == 0


@pytest.mark.parametrize("only", [(), ("--only", "efficiency")])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be read (Expecting property name"),
        ("[" * 100_000, "cannot be read ("),
        ("[1, 2]", "cannot be read (has no usable schema_version; it is no efficiency record)"),
        ('{"schema_version": 2, "kind": "cost"}', "cannot be read (cost.subject: Field required)"),
    ],
)
def test_a_file_that_is_no_record_is_named_and_left_out(
    swept: Path, bench: Bench, capsys: Captured, only: tuple[str, ...], content: str, told: str
) -> None:
    stray = swept / "efficiency" / "demo" / "one" / "notes.json"
    stray.write_text(content)
    assert bench("report", *only) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if str(stray) in line]
    assert line.startswith("warning: left out of the report: ")
    assert told in line
    assert line.endswith("delete or move it: `bench efficiency` measures a lost point anew")
    assert "Measured on Example" in (swept / "site" / "efficiency.html").read_text()


def test_a_record_of_a_newer_version_is_left_out_of_the_report(
    swept: Path, bench: Bench, capsys: Captured
) -> None:
    newer = swept / "efficiency" / "demo" / "one" / "newer.json"
    newer.write_text('{"schema_version": 99, "kind": "power"}')
    assert bench("report") == 0
    assert "schema_version 99" in (err := capsys.readouterr().err)
    assert str(newer) in err
    assert "update regionbench" in err
    assert "delete" not in err


def test_comparisons_and_gates_never_leave_a_record_out(swept: Path) -> None:
    (swept / "efficiency" / "demo" / "notes.json").write_text("{}")
    with pytest.raises(StoreError, match=r"notes\.json cannot be read"):
        read_speeds(swept / "efficiency", SpeedGate())
