"""Runs compared: a dot with its interval each, one panel per metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from reports.drawing import (
    ACCENT,
    INK,
    LABEL,
    PAPER,
    RULE,
    TITLE,
    Caption,
    drawing,
    number,
    text_mark,
)
from reports.text import visible

_LABEL_CHARACTERS = 40
_CHARACTER = 7.2  # pixels: the reader's font may be a wide one
_ROW = 24
_PANEL, _BETWEEN = 220, 24
_TOP, _BELOW, _RIGHT = 5, 45, 5
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


class Dot(NamedTuple):
    """One run in one panel: a value with its interval, in points; ``part`` draws it hollow."""

    label: str
    value: float
    low: float
    high: float
    part: bool


class Panel(NamedTuple):
    """One metric's dots; the panels of a chart name the same runs in the same order."""

    title: str
    dots: Sequence[Dot]


def dot_chart(panels: Sequence[Panel], caption: Caption) -> Markup:
    """One row per run, panels side by side, the runs named once."""
    labels = _labels(panels)
    left = _left(labels)
    height = _ROW * len(labels)
    marks = [f'<g transform="translate({number(left)},{_TOP}.5)">', *_names(labels)]
    for at, panel in enumerate(panels):
        marks += [
            f'<g transform="translate({at * (_PANEL + _BETWEEN)}.5,0)">',
            *_panel(panel, height),
            "</g>",
        ]
    return drawing(caption, _width(panels), _TOP + height + _BELOW, [*marks, "</g>"])


def least_width(panels: Sequence[Panel]) -> int:
    """The pixels below which the chart's labels would be too small to read."""
    return round(0.8 * _width(panels))


def _labels(panels: Sequence[Panel]) -> list[str]:
    return [_short(dot.label) for dot in panels[0].dots]


def _left(labels: Sequence[str]) -> float:
    return 17 + _CHARACTER * max(map(len, labels))


def _width(panels: Sequence[Panel]) -> float:
    return _left(_labels(panels)) + len(panels) * (_PANEL + _BETWEEN) - _BETWEEN + _RIGHT


def _names(labels: Sequence[str]) -> Iterator[str]:
    for at, label in enumerate(labels):
        place = f'x="-12" y="{_middle(at)}" dy="4" text-anchor="end"'
        yield text_mark(label, f'{place} font-size="11.5px" fill="{INK}"')


def _middle(row: int) -> str:
    return number(_ROW * (row + 0.5))


def _panel(panel: Panel, height: int) -> Iterator[str]:
    low, high = min(dot.low for dot in panel.dots), max(dot.high for dot in panel.dots)
    room = max(high - low, 1.0)
    # The printed values stand to the right of the intervals and need room of their own.
    first, last = low - 0.06 * room, high + 0.26 * room

    def across(value: float) -> str:
        return number(_PANEL * (value - first) / (last - first))

    for tick in _ticks(first, last):
        x = across(tick)
        yield f'<path d="M{x},0v{height}" stroke="{RULE}" stroke-dasharray="1,3"/>'
        yield f'<path d="M{x},{height}v5" stroke="{RULE}"/>'
        yield f'<text x="{x}" y="{height + 15}" text-anchor="middle" {LABEL}>{tick:g}</text>'
    yield f'<path d="M0,{height}h{_PANEL}" stroke="{RULE}"/>'
    yield text_mark(panel.title, f'x="{_PANEL // 2}" y="{height + 35}" {TITLE}')
    for at, dot in enumerate(panel.dots):
        y = _middle(at)
        yield f'<path d="M{across(dot.low)},{y}H{across(dot.high)}" stroke="{INK}" '
        yield 'stroke-width="1.5"/>'
        yield f'<circle cx="{across(dot.value)}" cy="{y}" r="4.5" '
        yield f'fill="{PAPER if dot.part else ACCENT}" stroke="{ACCENT}" stroke-width="1.8"/>'
        yield f'<text x="{across(dot.high)}" y="{y}" dx="8" dy="4" font-size="11px" fill="{INK}">'
        yield f"{dot.value:.2f}</text>"


def _ticks(low: float, high: float) -> list[float]:
    """At most six round values within the domain, none above 100, which no score can pass."""
    step = next((step for step in _STEPS if (high - low) / step <= 6), _STEPS[-1])
    ticks = np.round(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step, 1)
    return [float(tick) for tick in ticks if tick <= 100]


def _short(label: str) -> str:
    shown = " ".join(visible(label).split())
    return shown if len(shown) <= _LABEL_CHARACTERS else f"{shown[: _LABEL_CHARACTERS - 1]}…"
