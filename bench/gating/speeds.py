"""Measured speeds as the gate compares them: a question, the hardware, and the seconds."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from bench.config import SpeedGate
from bench.efficiency.records import Audits, SpeedRecord, hardware_name
from bench.efficiency.storing import records_by_sweep

_DECIMALS = 6  # microseconds, far below any clock's noise


class Question(NamedTuple):
    """What was timed: everything but the machine that two speeds have in common.

    ``settings`` and ``picture`` are as told to people, ``way`` is ``together`` or ``alone``, and
    answers are ``tokens`` long, at most (``natural``) or exactly (``forced``). A checkpoint with
    ``random_weights`` is another model than a trained one of the same name.
    """

    model: str
    adapter: str
    random_weights: bool
    settings: str
    dtype: str
    picture: str
    tiles: str
    way: str
    mode: str
    instances: int
    tokens: int
    decode: str
    effort: str
    protocol: str

    def __str__(self) -> str:
        regions = "1 region" if self.instances == 1 else f"{self.instances} regions {self.way}"
        return f"{regions}, {self.decode} {self.tokens} tokens, {self.effort}"


class Place(NamedTuple):
    """What has to be equal for two speeds to be compared."""

    question: Question
    hardware: str


class Speed(NamedTuple):
    """Median seconds of one picture with the ends of their 95 % interval, or why there are none.

    What was timed but failed its audit has a ``command`` that, on its hardware, times it anew.
    """

    place: Place
    p50: float | None
    low: float | None
    high: float | None
    reason: str = ""
    command: str = ""


def read_speeds(folder: Path, gate: SpeedGate) -> dict[Place, Speed]:
    """The latest speed of every point in the sweeps of ``folder`` that the gate looks at.

    Raises:
        StoreError: a record cannot be read.
    """
    records = [
        (sweep, record)
        for sweep, record in records_by_sweep(folder)
        if isinstance(record, SpeedRecord) and looked_at(gate, record.instances)
    ]
    found: dict[Place, Speed] = {}
    for sweep, record in sorted(records, key=lambda named: named[1].started):
        speed = _speed(sweep, record)
        found[speed.place] = speed
    return found


def looked_at(gate: SpeedGate, instances: int) -> bool:
    """Whether the gate looks at points of so many regions."""
    return not gate.instances or instances in gate.instances


def by_question(speeds: Iterable[Speed]) -> dict[Question, dict[str, Speed]]:
    """Speeds by question, then by hardware; in the questions' order."""
    grouped: dict[Question, dict[str, Speed]] = {}
    for speed in sorted(speeds, key=lambda speed: speed.place):
        grouped.setdefault(speed.place.question, {})[speed.place.hardware] = speed
    return grouped


def point_names(questions: Iterable[Question]) -> dict[Question, str]:
    """Every question as told to people, with whatever sets it apart from the model's others."""
    alike: dict[tuple[str, str], set[Question]] = {}
    for question in questions:
        alike.setdefault((question.model, str(question)), set()).add(question)
    names = {}
    for (_, name), group in alike.items():
        apart = [field for field in Question._fields if len({_told(q, field) for q in group}) > 1]
        for question in group:
            names[question] = ", ".join([name, *(_told(question, field) for field in apart)])
    return names


def _told(question: Question, field: str) -> str:
    value = getattr(question, field)
    if isinstance(value, bool):
        return f"{'' if value else 'no '}{field.replace('_', ' ')}"
    return f"{field} {value or 'none'}"


def _speed(sweep: str, record: SpeedRecord) -> Speed:
    subject, geometry = record.subject, record.geometry
    question = Question(
        model=subject.model,
        adapter=subject.adapter,
        random_weights=subject.random_weights,
        settings=", ".join(f"{name}={value}" for name, value in sorted(subject.settings.items())),
        dtype=subject.dtype,
        picture=f"{geometry.width}x{geometry.height}",
        tiles=geometry.tiles,
        way=record.way,
        mode=record.mode,
        instances=record.instances,
        tokens=record.tokens,
        decode=record.decode,
        effort=record.effort,
        protocol=record.protocol,
    )
    place = Place(question, _hardware(record))
    seconds = (record.seconds_p50, record.seconds_low, record.seconds_high)
    p50, low, high = (None if s is None else round(s, _DECIMALS) for s in seconds)
    doubt = _doubt(record.audits)
    if p50 and not doubt:
        return Speed(place, p50, low, high)
    if doubt:
        return Speed(place, None, None, None, doubt, _anew(sweep, record))
    why = record.outcome.replace("_", " ")
    return Speed(place, None, None, None, f"{why}: {record.reason}" if record.reason else why)


def _doubt(audits: Audits | None) -> str:
    """Why seconds of such queries are no speed; empty where they are."""
    if audits is None:
        return ""
    if not audits.outputs_equal:
        return "its audit failed: the timed answers are not those of a plain call"
    if not audits.repeat_ok:
        return (
            f"its audit failed: a picture asked again took {audits.repeat_ratio:.0%} of its first "
            "time, so something was kept"
        )
    return ""


def _anew(sweep: str, record: SpeedRecord) -> str:
    words = (sweep, "--model", record.subject.model, "--preset", record.effort)
    how = ("--measure", "speed", "--device", record.device, "--again")
    return shlex.join(("bench", "efficiency", *words, *how))


def _hardware(record: SpeedRecord) -> str:
    """What :func:`bench.efficiency.records.comparable` asks for: threads too, on processors."""
    name = hardware_name(record.hardware)
    return name if record.hardware.accelerator else f"{name}, {record.threads} threads"
