"""Points of efficiency sweeps as typed records, read from the board's frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pandas as pd

from reports.frames import ReportError
from reports.records import real, text

COMPUTED, MEASURED = "computed", "measured"
DOUBT = "†"  # behind the speeds of points whose audits failed


@dataclass(frozen=True, slots=True)
class Subject:
    """What was asked: two curves of one chart differ in a subject or in the way."""

    model: str
    mode: str
    tiles: str
    settings: str
    dtype: str
    checkpoint: str
    checkpoint_digest: str
    adapter: str
    revision: int
    random_weights: bool
    parameters: int | None
    region_tokens: int | None
    prompt: str


@dataclass(frozen=True, slots=True)
class Question:
    """What two points must share to stand in one chart; ``hardware`` is empty for costs."""

    sweep: str
    hardware: str
    width: int
    height: int
    decode: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Operations of one picture with ``instances`` regions, or why there are none."""

    subject: Subject
    question: Question
    way: str
    instances: int
    outcome: str
    reason: str
    vision_flops: int
    prefill_flops: int
    decode_flops: int
    kv_cache_bytes: int

    @property
    def computed(self) -> bool:
        """Whether the point has a cost; its numbers are 0 otherwise."""
        return self.outcome == COMPUTED

    @property
    def flops(self) -> int:
        """All operations."""
        return self.vision_flops + self.prefill_flops + self.decode_flops

    @property
    def outcome_words(self) -> str:
        """``"not possible"``."""
        return self.outcome.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of one picture with ``instances`` regions, or why there are none."""

    subject: Subject
    question: Question
    way: str
    instances: int
    effort: str
    outcome: str
    reason: str
    interleaved: str
    queries: int | None
    seconds_p50: float | None
    seconds_p90: float | None
    seconds_p99: float | None
    seconds_low: float | None
    seconds_high: float | None
    device_seconds_p50: float | None
    images_per_second: float | None
    regions_per_second: float | None
    load_seconds: float | None
    first_query_seconds: float | None
    stable: bool | None
    tokens_per_region: float | None
    peak_allocated_bytes: int | None
    peak_reserved_bytes: int | None
    process_rss_bytes: int | None
    energy_joules: float | None
    outputs_equal: bool | None
    repeat_ratio: float | None
    repeat_ok: bool | None
    repeatable: bool | None
    device: str
    driver: str
    attention: str
    threads: int | None
    load_average: float | None
    foreign_processes: str
    warnings: str
    started: str
    commit: str

    @property
    def measured(self) -> bool:
        """Whether the point has a speed."""
        return self.outcome == MEASURED and bool(self.seconds_p50)

    @property
    def mark(self) -> str:
        """Stands behind numbers that are doubtful."""
        return f" {DOUBT}" if self.doubtful else ""

    @property
    def doubtful(self) -> bool:
        """Whether an audit of the speed failed: it may not be that of ordinary queries."""
        return self.measured and (self.outputs_equal is False or self.repeat_ok is False)

    @property
    def outcome_words(self) -> str:
        """``"out of memory"``."""
        return self.outcome.replace("_", " ")


def costs_of(frame: pd.DataFrame) -> tuple[Cost, ...]:
    """Every computed cost, in an order that does not depend on the frame's.

    Raises:
        ReportError: a cell is not what its column holds.
    """
    return tuple(sorted((_cost(row) for row in frame.to_dict("records")), key=_order))


def speeds_of(frame: pd.DataFrame) -> tuple[Speed, ...]:
    """Every speed, a full measurement in the place of a quick one of the same point.

    Raises:
        ReportError: a cell is not what its column holds.
    """
    rows = sorted((_speed(row) for row in frame.to_dict("records")), key=_order)
    best: dict[tuple[object, ...], Speed] = {}
    for point in rows:
        place = (point.subject, point.question, point.way, point.instances)
        if place not in best or best[place].effort != "full":
            best[place] = point
    return tuple(best.values())


def _order(point: Cost | Speed) -> str:
    return repr((point.subject, point.way, f"{point.instances:09d}", point))


def _cost(row: Mapping[Hashable, object]) -> Cost:
    outcome = text(row["outcome"])
    numbers = ("vision_flops", "prefill_flops", "decode_flops", "kv_cache_bytes")
    return Cost(
        subject=_subject(row),
        question=_question(row, hardware="", decode="forced"),
        way=text(row["way"]),
        instances=_needed(row, "instances"),
        outcome=outcome,
        reason=text(row["reason"]),
        **{name: _needed(row, name) if outcome == COMPUTED else 0 for name in numbers},
    )


def _speed(row: Mapping[Hashable, object]) -> Speed:
    own = {field.name: field.type for field in dataclasses.fields(Speed)}
    values: dict[str, object] = {}
    for name, kind in own.items():
        if name in ("subject", "question", "instances"):
            continue
        if kind == "str":
            values[name] = text(row[name])
        elif kind == "bool | None":
            values[name] = bool(row[name]) if text(row[name]) else None
        else:
            values[name] = _number(row, name, whole=kind == "int | None")
    return Speed(
        subject=_subject(row),
        question=_question(row, hardware=text(row["hardware"]), decode=text(row["decode"])),
        instances=_needed(row, "instances"),
        **values,  # type: ignore[arg-type]
    )


def _subject(row: Mapping[Hashable, object]) -> Subject:
    parameters = _number(row, "parameters", whole=True)
    region_tokens = _number(row, "region_tokens", whole=True)
    return Subject(
        model=text(row["model"]),
        mode=text(row["mode"]),
        tiles=text(row["tiles"]),
        settings=text(row["settings"]),
        dtype=text(row["dtype"]),
        checkpoint=text(row["checkpoint"]),
        checkpoint_digest=text(row["checkpoint_digest"]),
        adapter=text(row["adapter"]),
        revision=_needed(row, "revision"),
        random_weights=bool(row["random_weights"]),
        parameters=None if parameters is None else int(parameters),
        region_tokens=None if region_tokens is None else int(region_tokens),
        prompt=text(row["prompt"]),
    )


def _question(row: Mapping[Hashable, object], *, hardware: str, decode: str) -> Question:
    return Question(
        sweep=text(row["sweep"]),
        hardware=hardware,
        width=_needed(row, "width"),
        height=_needed(row, "height"),
        decode=decode,
        tokens=_needed(row, "tokens"),
    )


def _needed(row: Mapping[Hashable, object], column: str) -> int:
    number = _number(row, column, whole=True)
    if number is None:
        raise ReportError(
            f"sweep {text(row['sweep'])!r}: a point of {row['model']!r} has no {column}"
        )
    return int(number)


def _number(row: Mapping[Hashable, object], column: str, *, whole: bool) -> float | int | None:
    # FLOPs exceed what a float holds exactly.
    value = row[column]
    if whole and isinstance(value, int):
        return value
    try:
        number = real(value)
    except ReportError as error:
        sweep, model = text(row["sweep"]), text(row["model"])
        raise ReportError(f"sweep {sweep!r}, model {model!r}, {column}: {error}") from None
    return int(number) if whole and number is not None else number
