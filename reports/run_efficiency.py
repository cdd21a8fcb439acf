"""The efficiency records of a run's model, as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from reports.efficiency_blocks import significant
from reports.efficiency_records import DOUBT, Cost, Speed, costs_of, speeds_of
from reports.frames import Board
from reports.records import Run

HEAD = (
    "Regions",
    "Asked",
    "Regions/s",
    "Median time, ms",
    "Peak memory, MiB",
    "TFLOP a picture",
)

_SHORT_DIGEST = 12
_TERA = 1e12
_MEBI = 2**20


class EfficiencyTable(NamedTuple):
    """Points that can be compared: one sweep, one subject, one way to decode, one machine.

    ``hardware`` is empty where only computed costs are there; ``facts`` say what was asked, and
    of which checkpoint with which settings. ``note`` explains the mark that some speeds
    bear.
    """

    sweep: str
    hardware: str
    facts: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


class _Group(NamedTuple):
    sweep: str
    hardware: str
    facts: tuple[str, ...]


def efficiency_tables(board: Board, run: Run) -> tuple[EfficiencyTable, ...]:
    """The points of the same checkpoint with the same settings, or of the model of that name.

    A name alone is enough only where the weights were random.
    """
    if not board.swept:
        return ()
    costs = costs_of(_own(board.costs, run))
    speeds = speeds_of(_own(board.speeds, run))
    computed = {_place(cost): cost for cost in costs}
    groups: dict[_Group, list[tuple[Cost | Speed, Cost | None]]] = {}
    for speed in speeds:
        groups.setdefault(_group(speed), []).append((speed, computed.get(_place(speed))))
    timed = {_place(speed) for speed in speeds}
    for cost in costs:
        if _place(cost) not in timed:
            groups.setdefault(_group(cost), []).append((cost, cost))
    return tuple(
        EfficiencyTable(
            *group,
            tuple(_row(point, cost) for point, cost in _in_order(points)),
            _note([point for point, _ in points]),
        )
        for group, points in sorted(groups.items())
    )


def _note(points: Sequence[Cost | Speed]) -> str:
    if any(isinstance(point, Speed) and point.doubtful for point in points):
        return f"{DOUBT} An audit of the point failed: see the efficiency page."
    return ""


def _own(frame: pd.DataFrame, run: Run) -> pd.DataFrame:
    same_name = frame["model"] == run.model
    same_weights = frame["checkpoint_digest"] == run.checkpoint_digest
    same_way = (frame["adapter"] == run.adapter) & (frame["settings"] == run.settings)
    random = frame["random_weights"].astype(bool)
    return frame[(same_name & random) | (same_weights & (same_name | same_way))]


def _place(point: Cost | Speed) -> tuple[object, ...]:
    subject, question = point.subject, point.question
    return (
        *(question.sweep, question.width, question.height, question.tokens),
        *(subject.model, subject.mode, subject.tiles, subject.settings),
        *(subject.checkpoint_digest, subject.dtype),
        *(point.way, point.instances),
    )


def _group(point: Cost | Speed) -> _Group:
    subject, question = point.subject, point.question
    facts = (
        subject.model,
        f"{subject.checkpoint} {subject.checkpoint_digest[:_SHORT_DIGEST]}".strip(),
        subject.settings,
        "" if subject.tiles == "" else f"{subject.tiles} tiles",
        f"{question.width}×{question.height} pixels",
        f"{question.tokens} tokens a region"
        if question.decode == "forced"
        else f"natural stop, at most {question.tokens} tokens",
        subject.dtype,
        "random weights" if subject.random_weights else "",
    )
    return _Group(question.sweep, question.hardware, tuple(fact for fact in facts if fact))


def _in_order(
    points: Sequence[tuple[Cost | Speed, Cost | None]],
) -> list[tuple[Cost | Speed, Cost | None]]:
    return sorted(points, key=lambda pair: (pair[0].way != "together", pair[0].instances))


def _row(point: Cost | Speed, cost: Cost | None) -> tuple[str, ...]:
    flops = "" if cost is None else cost.outcome_words
    if cost is not None and cost.computed:
        flops = significant(cost.flops / _TERA)
    asked = ", ".join(filter(None, (point.way, point.subject.mode)))
    head = (f"{point.instances:,}", asked)
    if isinstance(point, Cost):
        return (*head, "", "", "", flops)
    if not point.measured:
        return (*head, point.outcome_words, "", "", flops)
    memory = point.peak_allocated_bytes or point.process_rss_bytes
    return (
        *head,
        significant(point.regions_per_second or point.instances / (point.seconds_p50 or 1))
        + point.mark,
        significant((point.seconds_p50 or 0) * 1e3) + point.mark,
        "" if memory is None else significant(memory / _MEBI),
        flops,
    )
