"""Where the dots and intervals of a comparison's headline differences are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from reports import formatting
from reports.compare_records import MetricRow, Verdict

LEFT = 150
"""Where the plot begins, right of the labels, in pixels."""

_WIDTH, _RIGHT, _ROW, _TOP = 220, 60, 26, 12
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


class Mark(NamedTuple):
    """One metric: its dot and whisker; ``decided`` where the whisker leaves 0 out."""

    label: str
    printed: str
    y: float
    x: float
    low: float
    high: float
    decided: bool


class Chart(NamedTuple):
    """A chart's geometry in pixels, and what a reader who does not see it is told."""

    width: int
    height: int
    bottom: int
    zero: float
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    told: str


def chart(rows: Sequence[MetricRow]) -> Chart | None:
    """The rows that have a difference, one below the other, around a line at 0."""
    shown = [row for row in rows if row.difference is not None]
    if not shown:
        return None
    ends = [0.0, *(end for row in shown for end in _ends(row))]
    room = 0.06 * (max(ends) - min(ends) or 1.0)
    low, high = min(ends) - room, max(ends) + room

    def place(value: float) -> float:
        return round(LEFT + (value - low) / (high - low) * _WIDTH, 2)

    bottom = _TOP + _ROW * len(shown)
    marks = []
    for at, row in enumerate(shown):
        least, most = _ends(row)
        marks.append(
            Mark(
                label=formatting.words(row.metric),
                printed=signed(row.difference),
                y=_TOP + _ROW * (at + 0.5),
                x=place((row.difference or 0.0) * 100),
                low=place(least),
                high=place(most),
                decided=row.verdict in (Verdict.BETTER, Verdict.WORSE),
            )
        )
    ticks = [(place(tick), f"{tick:g}") for tick in _ticks(low, high)]
    told = "; ".join(f"{mark.label} {mark.printed}" for mark in marks)
    size = (LEFT + _WIDTH + _RIGHT, bottom + 24)
    return Chart(*size, bottom, place(0.0), tuple(marks), tuple(ticks), told)


def signed(value: float | None) -> str:
    """A difference in points with its sign: ``"+1.20"``; empty where there is none."""
    if value is None:
        return ""
    printed = f"{value * 100:+.2f}"
    return "0.00" if float(printed) == 0 else printed


def _ends(row: MetricRow) -> tuple[float, float]:
    middle = row.difference or 0.0
    low = middle if row.low is None else row.low
    high = middle if row.high is None else row.high
    return low * 100, high * 100


def _ticks(low: float, high: float) -> list[float]:
    step = next((step for step in _STEPS if (high - low) / step <= 6), _STEPS[-1])
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(number * step, 1) for number in range(first, last + 1)]
