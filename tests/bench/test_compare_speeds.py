"""Speeds in a comparison: equal hardware and equal questions, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.comparing.speeds import speed_ratio, speed_rows
from bench.efficiency.records import SpeedRecord
from bench.efficiency.storing import write_record
from bench.manifest import HardwareRecord, ModelRecord
from tests.bench.test_efficiency_report import NOTHING, speed

GPU = HardwareRecord(
    host="there", platform="Linux", cpu="Other", cores=8, memory_gib=64.0, accelerator="H100"
)


def model(name: str, **changed: Any) -> ModelRecord:
    values: dict[str, Any] = {
        "name": name,
        "adapter": "wow-seg",
        "revision": 1,
        "checkpoint": name,
        "checkpoint_digest": f"{name} digest",
        "parameters": 1,
        "dtype": "float32",
        "prompt": "",
        "settings": {"scale": 2},
        "base_model": None,
        "licence": None,
        "context_dependent": False,
        "declared": {},
    }
    return ModelRecord(**(values | changed))


def record(
    name: str, seconds: Sequence[float], instances: int = 4, subject: Any = None, **changed: Any
) -> SpeedRecord:
    point = speed(
        instances,
        rounds=(tuple(seconds),),
        seconds_p50=float(np.median(seconds)),
        regions_per_second=instances / float(np.median(seconds)),
    )
    own = {
        "adapter": "wow-seg",
        "checkpoint_digest": f"{name} digest",
        "settings": {"scale": 2},
        "random_weights": False,
        "model": name,
        **(subject or {}),
    }
    subject_record = point.subject.model_copy(update=own)
    return point.model_copy(update={"subject": subject_record, **changed})


def rows_of(
    folder: Path, *stored: tuple[str, SpeedRecord], second: ModelRecord | None = None
) -> tuple[list[tuple[int, float, str]], str]:
    for sweep, point in stored:
        write_record(folder, sweep, point)
    rows, note = speed_rows(folder, model("a"), second or model("b"))
    return [(row.instances, round(row.ratio, 6), row.hardware) for row in rows], note


HERE = "Example, 2 cores"


def test_twice_as_fast_is_a_ratio_of_2_at_every_number_of_regions(tmp_path: Path) -> None:
    stored = [
        ("demo", record(name, [time * (1 + n / 10)], n))
        for n in (1, 8)
        for name, time in (("a", 1.0), ("b", 0.5))
    ]
    assert rows_of(tmp_path, *stored) == ([(1, 2.0, HERE), (8, 2.0, HERE)], "")


def test_the_ratio_s_interval_holds_it_and_narrows_with_more_queries() -> None:
    generator = np.random.default_rng(0)
    widths = []
    for queries in (10, 1000):
        ratio = speed_ratio(
            record("a", list(generator.normal(1.0, 0.1, queries))),
            record("b", list(generator.normal(0.8, 0.1, queries))),
        )
        assert ratio.low < 1.25 < ratio.high
        widths.append(ratio.high - ratio.low)
    assert widths[1] < widths[0] / 5


def test_queries_that_all_took_the_same_have_a_ratio_without_width() -> None:
    assert speed_ratio(record("a", [1.0] * 5), record("b", [0.5] * 5)) == (2.0, 2.0, 2.0)


def test_other_hardware_is_told_and_not_compared(tmp_path: Path) -> None:
    rows, note = rows_of(
        tmp_path, ("x", record("a", [1.0])), ("x", record("b", [0.1], hardware=GPU))
    )
    assert rows == []
    assert note == f"another hardware: {HERE} and H100"


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"threads": 4}, "another threads: 2 and 4"),
        (NOTHING, "b at 4: out_of_memory"),
    ],
)
def test_why_points_do_not_compare_is_told(
    tmp_path: Path, changed: dict[str, Any], note: str
) -> None:
    other = record("b", [1.0], **changed)
    assert rows_of(tmp_path, ("x", record("a", [1.0])), ("x", other)) == ([], note)


def test_other_questions_do_not_meet(tmp_path: Path) -> None:
    rows, note = rows_of(tmp_path, ("x", record("a", [1.0], 1)), ("x", record("b", [1.0], 2)))
    assert (rows, note) == ([], "the two were measured with different questions")


@pytest.mark.parametrize(
    "subject",
    [
        {"random_weights": True},
        {"settings": {"scale": 3}},
        {"adapter": "pam"},
        {"checkpoint_digest": "other"},
    ],
    ids=lambda subject: next(iter(subject)),
)
def test_only_what_gave_the_run_s_answers_is_its_speed(
    tmp_path: Path, subject: dict[str, Any]
) -> None:
    rows, note = rows_of(
        tmp_path, ("x", record("a", [1.0])), ("x", record("b", [1.0], subject=subject))
    )
    assert rows == []
    assert "no speed of b was measured; `bench efficiency` does that" in note
    assert "sweeps: {mine: {models: {b: {}}}}" in note


def test_of_several_measurements_those_of_one_sweep_are_shown_then_the_latest(
    tmp_path: Path,
) -> None:
    early, late = "2026-06-01T12:00:00+00:00", "2026-06-02T12:00:00+00:00"
    stored = [
        ("apart-a", record("a", [9.0], started=late)),
        ("apart-b", record("b", [1.0], started=late)),
        ("early", record("a", [3.0], started=early)),
        ("early", record("b", [1.0], started=early)),
    ]
    assert rows_of(tmp_path, *stored)[0] == [(4, 3.0, HERE)]
    stored = [("late", record(name, [time], started=late)) for name, time in (("a", 4), ("b", 1))]
    assert rows_of(tmp_path, *stored)[0] == [(4, 4.0, HERE)]


def test_without_a_folder_of_records_there_is_no_speed(tmp_path: Path) -> None:
    rows, note = speed_rows(tmp_path / "none", model("a"), model("b"))
    assert rows == []
    assert "no speed of a was measured" in note
