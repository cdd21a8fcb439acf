"""Runs compared: a dot with its interval each, one panel per metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import numpy as np
from markupsafe import Markup

from reports.svg import ACCENT, INK, PAPER, Caption, Rows, inline_svg, specification
from reports.text import visible

_LABEL_CHARACTERS = 40
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
    names = [f"panel-{index}" for index in range(len(panels))]
    chart = alt.hconcat(
        *(
            _panel(panel, name, labelled=name == names[0])
            for panel, name in zip(panels, names, strict=True)
        ),
        spacing=24,
    )
    # The reader's font may be wider than the one labels are measured with.
    widest = max(len(_short(dot.label)) for dot in panels[0].dots)
    chart = chart.properties(padding={"left": 5 + 1.3 * widest, "right": 5, "top": 5, "bottom": 5})
    data = {name: _rows(panel) for name, panel in zip(names, panels, strict=True)}
    return inline_svg(specification(chart), data, caption)


def _rows(panel: Panel) -> Rows:
    # Position, not the label, is the row's key: two runs may bear one name.
    return [
        {**dot._asdict(), "at": at, "label": _short(dot.label), "printed": f"{dot.value:.2f}"}
        for at, dot in enumerate(panel.dots)
    ]


def _panel(panel: Panel, name: str, *, labelled: bool) -> alt.LayerChart | alt.FacetChart:
    low, high = min(dot.low for dot in panel.dots), max(dot.high for dot in panel.dots)
    room = max(high - low, 1.0)
    # The printed values stand to the right of the intervals and need room of their own.
    domain = (low - 0.06 * room, high + 0.26 * room)
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    axis = alt.Axis(values=_ticks(*domain))
    base = alt.Chart(alt.NamedData(name)).encode(
        y=alt.Y("at:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0.1))
    )
    marks: list[alt.Chart] = [
        base.mark_rule(color=INK, strokeWidth=1.5).encode(
            x=alt.X("low:Q", scale=scale, title=panel.title, axis=axis), x2="high:Q"
        ),
        *(
            base.transform_filter(alt.datum.part == part)
            .mark_point(filled=True, size=64, opacity=1, fill=fill, stroke=ACCENT, strokeWidth=1.8)
            .encode(x=alt.X("value:Q", scale=scale))
            for part, fill in ((False, ACCENT), (True, PAPER))
        ),
        base.mark_text(align="left", dx=7, color=INK, fontSize=11).encode(
            x=alt.X("high:Q", scale=scale), text="printed:N"
        ),
    ]
    if labelled:
        marks.append(
            base.mark_text(align="right", color=INK, fontSize=11.5, limit=0).encode(
                x=alt.value(-12), text="label:N"
            )
        )
    return alt.layer(*marks).properties(width=220, height=alt.Step(24))


def _ticks(low: float, high: float) -> list[float]:
    """At most six round values within the domain, none above 100, which no score can pass."""
    step = next((step for step in _STEPS if (high - low) / step <= 6), _STEPS[-1])
    ticks = np.round(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step, 1)
    return [float(tick) for tick in ticks if tick <= 100]


def _short(label: str) -> str:
    shown = " ".join(visible(label).split())
    return shown if len(shown) <= _LABEL_CHARACTERS else f"{shown[: _LABEL_CHARACTERS - 1]}…"
