"""The gate's speeds: on equal hardware only."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.commands.efficiency import command as efficiency
from bench.config import SpeedGate
from bench.efficiency.records import Audits, comparable
from bench.efficiency.storing import write_record
from bench.gating.baseline_file import read_baseline
from bench.gating.speeds import Place, Speed, read_speeds
from bench.manifest import HardwareRecord
from tests.bench.gating_runs import Captured, answer
from tests.bench.kinds import Bench
from tests.bench.test_efficiency_report import NOTHING, POINT, speed

GATE = "gate: {speed: {tolerance: 10 %, instances: [1, 32]}}\n"
ALL = GATE.replace(", instances: [1, 32]", "")
REQUIRED = GATE.replace("10 %", "10 %, required: true")


def timed(
    folder: Path, instances: int, seconds: float, spread: float = 0.01, **changed: Any
) -> None:
    measured = {
        "seconds_p50": seconds,
        "seconds_low": seconds - spread,
        "seconds_high": seconds + spread,
    }
    record = speed(instances).model_copy(update=measured | changed)
    write_record(folder / "efficiency", "demo", record)


def other_hardware() -> HardwareRecord:
    return HardwareRecord(
        host="x", platform="Linux", cpu="Other", cores=64, memory_gib=9.0, accelerator="GPU"
    )


@pytest.fixture
def timed_baseline(bench: Bench, workplace: Path) -> Path:
    """A baseline with a run and speeds, of which two are gated; the machine forgot its speeds."""
    path = workplace / "bench.yaml"
    text = path.read_text()
    path.write_text(text + ALL)
    answer(bench, workplace, ())
    timed(workplace, 1, 0.5)
    timed(workplace, 8, 0.5)
    timed(workplace, 32, 2.0, spread=0.3)
    assert bench("baseline", "update", "mine") == 0
    shutil.rmtree(workplace / "efficiency")
    path.write_text(text + GATE)
    return workplace


def kept(folder: Path) -> Mapping[Place, Speed]:
    return read_baseline(folder / "baseline.json").speeds


def judged(bench: Bench, capsys: Captured, *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = bench("gate", "--json", *words)
    checks = json.loads(capsys.readouterr().out)["checks"]
    return code, {c["name"].split()[0]: c for c in checks if c["kind"] == "speed"}


def test_a_slower_point_is_a_regression_where_it_is_large_and_real(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 1, 0.54)
    timed(timed_baseline, 32, 2.5)
    code, speeds = judged(bench, capsys)
    assert code == 1
    assert set(speeds) == {"1", "32"}, "8 regions are not looked at"
    assert speeds["1"]["verdict"] == "pass"
    assert speeds["32"]["verdict"] == "regression"
    assert speeds["32"]["difference"] == pytest.approx(0.25)
    bench("gate")
    assert "takes 25.0% longer, tolerated are 10 %" in capsys.readouterr().out


def test_overlapping_intervals_are_inconclusive(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 1, 0.5)
    timed(timed_baseline, 32, 2.5, spread=0.25)
    code, speeds = judged(bench, capsys)
    assert (code, speeds["32"]["verdict"]) == (3, "inconclusive")
    assert judged(bench, capsys, "--allow-inconclusive")[0] == 0


def test_equal_speeds_pass(timed_baseline: Path, bench: Bench, capsys: Captured) -> None:
    timed(timed_baseline, 1, 0.5)
    timed(timed_baseline, 32, 2.0)
    assert bench("gate") == 0
    assert "1 score and 2 speeds compared" in capsys.readouterr().out


def test_other_hardware_is_not_compared_and_fails_only_where_speed_is_required(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 32, 9.0, hardware=other_hardware())
    code, speeds = judged(bench, capsys)
    assert code == 0
    assert speeds["32"]["verdict"] == "not comparable"
    assert "Example, 2 cores, 2 threads, here GPU" in speeds["32"]["reason"]
    assert speeds["1"]["verdict"] == "incomplete"
    path = timed_baseline / "bench.yaml"
    path.write_text(path.read_text().replace(GATE, REQUIRED))
    assert bench("gate") == 3


def test_other_threads_are_other_hardware_on_a_processor(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 32, 9.0, threads=1)
    code, speeds = judged(bench, capsys)
    assert (code, speeds["32"]["verdict"]) == (0, "not comparable")


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a time": {"started": "2027-01-01T00:00:00+00:00", "load_average": 9.0},
    "the accelerator": {"hardware": other_hardware()},
    "the threads": {"threads": 9},
    "an accelerator's threads": {"hardware": other_hardware(), "threads": 9},
    "the picture": {"geometry": POINT["geometry"].model_copy(update={"width": 1})},
    "the decoding": {"decode": "natural"},
    "the length": {"tokens": 1},
    "the protocol": {"protocol": "instances-v2"},
}


@pytest.mark.parametrize("one", CHANGES)
@pytest.mark.parametrize("other", CHANGES)
def test_two_speeds_are_laid_side_by_side_where_their_records_may_be(
    tmp_path: Path, one: str, other: str
) -> None:
    first, second = (speed(1).model_copy(update=CHANGES[name]) for name in (one, other))
    for name, record in (("one", first), ("other", second)):
        write_record(tmp_path / name, "demo", record)
    places = [set(read_speeds(tmp_path / name, SpeedGate())) for name in ("one", "other")]
    assert (places[0] == places[1]) == (comparable(first, second) is None)


def test_only_incomparable_speeds_are_nothing_measured(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    baseline = json.loads((timed_baseline / "baseline.json").read_text())
    (timed_baseline / "baseline.json").write_text(json.dumps(baseline | {"entries": []}))
    timed(timed_baseline, 32, 2.0, hardware=other_hardware())
    assert bench("gate") == 3
    assert "Nothing was measured: no score or speed" in capsys.readouterr().out
    timed(timed_baseline, 32, 2.0)
    assert bench("gate") == 0


def test_a_point_that_no_longer_gives_a_speed_is_incomplete(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 1, 0.5)
    write_record(timed_baseline / "efficiency", "demo", speed(32, **NOTHING))
    code, speeds = judged(bench, capsys)
    assert code == 3
    assert speeds["32"]["reason"] == "out of memory: no room"


UNEQUAL = Audits(outputs_equal=False, repeat_ratio=1.0, repeat_ok=True)
REPEATED = Audits(outputs_equal=True, repeat_ratio=0.4, repeat_ok=False)


@pytest.mark.parametrize(
    ("audits", "reason"),
    [(UNEQUAL, "not those of a plain call"), (REPEATED, "took 40% of its first")],
)
def test_a_speed_that_failed_its_audit_is_none(
    timed_baseline: Path, bench: Bench, capsys: Captured, audits: Audits, reason: str
) -> None:
    timed(timed_baseline, 1, 0.5)
    timed(timed_baseline, 32, 0.1, audits=audits)
    code, speeds = judged(bench, capsys)
    assert (code, speeds["32"]["verdict"]) == (3, "incomplete")
    assert reason in speeds["32"]["reason"]
    bench("baseline", "update")
    medians = {place.question.instances: s.p50 for place, s in kept(timed_baseline).items()}
    assert medians[32] == 2.0, "it never becomes the baseline"


def test_an_update_says_which_speeds_failed_their_audit(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    own = POINT["subject"].model_copy(update={"model": "mine"})
    timed(timed_baseline, 1, 0.4)
    timed(timed_baseline, 32, 0.1, audits=UNEQUAL)
    timed(timed_baseline, 32, 0.1, audits=REPEATED, subject=own)
    timed(timed_baseline, 8, 0.1, audits=UNEQUAL)
    before = kept(timed_baseline)
    capsys.readouterr()
    assert bench("baseline", "update") == 0
    point = "32 regions together, forced 32 tokens, quick, Example, 2 cores, 2 threads"
    anew = "bench efficiency demo --model {} --preset quick --measure speed --device cpu --again"
    told = [
        f"mine: {point} is left out: its audit failed: a picture asked again took 40% of its "
        "first time, so something was kept; the baseline has no speed of it. "
        f"`{anew.format('mine')}` on that hardware times it anew",
        f"one: {point} is left out: its audit failed: the timed answers are not those of a plain "
        f"call; the baseline keeps an earlier speed of it. `{anew.format('one')}` on that hardware "
        "times it anew",
    ]
    said = capsys.readouterr()
    assert [line for line in said.err.splitlines() if "audit" in line] == [
        f"warning: {line}" for line in told
    ], "8 regions are not gated"
    assert re.search(r"one +1 region, .*500\.0 ms +400\.0 ms", said.out)
    assert set(kept(timed_baseline)) == set(before)
    assert bench("baseline", "update", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == told
    verb, *words = shlex.split(anew.format("one"))[1:]
    assert verb == "efficiency"
    asked = efficiency.make_context(verb, words).params
    assert {name: value for name, value in asked.items() if value not in (None, False)} == {
        "sweep": "demo",
        "models": ("one",),
        "effort": "quick",
        "measure": "speed",
        "device": "cpu",
        "again": True,
    }


def test_an_update_says_nothing_of_speeds_timed_anew_or_never_had(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 1, 0.1, audits=UNEQUAL)
    timed(timed_baseline, 1, 0.4)
    write_record(timed_baseline / "efficiency", "demo", speed(32, **NOTHING))
    capsys.readouterr()
    assert bench("baseline", "update") == 0
    assert "left out" not in capsys.readouterr().err
    assert {speed.p50 for speed in kept(timed_baseline).values()} == {0.4, 0.5, 2.0}


def test_a_model_with_random_weights_is_another_one(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    trained = POINT["subject"].model_copy(update={"random_weights": False})
    timed(timed_baseline, 32, 9.0, subject=trained)
    code, speeds = judged(bench, capsys)
    assert code == 0
    assert speeds["32"]["verdict"] == "incomplete"
    assert not speeds["32"]["counts"]


def test_a_named_run_is_gated_by_its_own_speeds(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    own = POINT["subject"].model_copy(update={"model": "mine"})
    timed(timed_baseline, 1, 0.5, subject=own)
    assert bench("baseline", "update", "mine") == 0
    timed(timed_baseline, 32, 9.0)
    assert judged(bench, capsys)[0] == 1
    code, speeds = judged(bench, capsys, "--run", "mine")
    assert code == 0
    assert [check["subject"] for check in speeds.values()] == ["mine"]


def test_a_slowdown_of_exactly_the_tolerance_is_tolerated(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    timed(timed_baseline, 1, 0.55)
    assert 0.55 / 0.5 - 1 > 0.1, "floating point's noise"
    code, speeds = judged(bench, capsys)
    assert (code, speeds["1"]["verdict"]) == (0, "pass")


def test_points_are_told_apart_by_what_sets_them_apart(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    for update in ({"tiles": "1"}, {"tiles": "1", "width": 448}):
        geometry = POINT["geometry"].model_copy(update=update)
        timed(timed_baseline, 32, 1.0, geometry=geometry)
    assert bench("baseline", "update", "mine", "--json") == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    names = {change["name"].removesuffix(", Example, 2 cores, 2 threads") for change in changes}
    point = "32 regions together, forced 32 tokens, quick"
    assert names == {f"{point}, picture 640x480, tiles 1", f"{point}, picture 448x480, tiles 1"}
    bench("gate", "--json")
    checks = json.loads(capsys.readouterr().out)["checks"]
    told = [check["name"] for check in checks if check["name"].startswith("32")]
    assert {*told} == {*names, f"{point}, picture 640x480, tiles 12+1"}
    assert len(told) == 3
    bench("baseline", "show")
    assert "1 region, forced 32 tokens, quick " in capsys.readouterr().out


def test_required_speeds_have_to_be_in_the_baseline(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    path = workplace / "bench.yaml"
    answer(bench, workplace, ())
    bench("baseline", "update", "mine")
    path.write_text(path.read_text() + REQUIRED)
    assert bench("gate") == 3
    assert "the baseline has none; `bench baseline update`" in capsys.readouterr().out


def test_speeds_are_updated_and_shown(timed_baseline: Path, bench: Bench, capsys: Captured) -> None:
    timed(timed_baseline, 32, 1.0)
    capsys.readouterr()
    assert bench("baseline", "update") == 0
    out = capsys.readouterr().out
    assert "2,000.0 ms" in out
    assert "-50.0%" in out
    assert bench("baseline", "show") == 0
    out = capsys.readouterr().out
    assert "32 regions together, forced 32 tokens, quick" in out
    assert "1,000.0 ms" in out
    assert "500.0 ms" in out, "what was not timed again stays"


def test_a_speed_changed_by_hand_is_refused(
    timed_baseline: Path, bench: Bench, capsys: Captured
) -> None:
    path = timed_baseline / "baseline.json"
    path.write_text(path.read_text().replace('"seconds_p50": 2.0', '"seconds_p50": 9.0'))
    assert bench("gate") == 2
    assert "the speed of one at 32 was changed after it was written" in capsys.readouterr().err
