"""Charts as inline SVG: one ink, no colour needed to read them, the same bytes every time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
from markupsafe import Markup

from reports.text import visible

_SVG = "http://www.w3.org/2000/svg"
_INK = "var(--ink, #1c1c1a)"
_MUTED = "var(--muted, #5b5e64)"
_RULE = "var(--rule, #d9d7d0)"
_ACCENT = "var(--accent, #0b5a83)"
_PAPER = "var(--paper, #ffffff)"
_LABEL_CHARACTERS = 40

ET.register_namespace("", _SVG)


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


def dot_chart(panels: Sequence[Panel], *, identifier: str, title: str, description: str) -> Markup:
    """Dots with 95 % intervals, one row per run, panels side by side."""
    chart = alt.hconcat(
        *(_dot_panel(panel, labelled=index == 0) for index, panel in enumerate(panels)), spacing=24
    )
    # The reader's font may be wider than the one labels are measured with.
    widest = max(len(_short(dot.label)) for dot in panels[0].dots)
    chart = chart.properties(padding={"left": 5 + 1.3 * widest, "right": 5, "top": 5, "bottom": 5})
    return _inline_svg(chart, identifier, title, description)


def histogram(
    values: Sequence[float], *, identifier: str, title: str, description: str, axis: str
) -> Markup:
    """How many regions fall into each twentieth of [0, 1] (wider where values are negative)."""
    lowest = min(0.0, np.floor(min(values) * 20) / 20)
    edges = np.round(np.arange(lowest, 1.0 + 0.025, 0.05), 2)
    # A cosine of 1 can exceed it by a rounding error.
    counts, _ = np.histogram(np.clip(values, lowest, 1.0), bins=edges)
    frame = pd.DataFrame({"from": edges[:-1] * 100, "to": edges[1:] * 100, "regions": counts})
    chart = (
        alt.Chart(frame)
        .mark_bar(color=_ACCENT, stroke=_PAPER, strokeWidth=1)
        .encode(
            x=alt.X("from:Q", title=axis, bin="binned", scale=alt.Scale(nice=False)),
            x2="to:Q",
            y=alt.Y(
                "regions:Q",
                title="regions (square-root scale)",
                # A good model's few failures would vanish beside the bar at 100.
                scale=alt.Scale(type="sqrt"),
                axis=alt.Axis(tickCount=5, format=",d"),
            ),
        )
        .properties(width=440, height=150)
    )
    return _inline_svg(chart, identifier, title, description)


def _dot_panel(panel: Panel, *, labelled: bool) -> alt.LayerChart | alt.FacetChart:
    # Position, not the label, is the row's key: two runs may bear one name.
    frame = pd.DataFrame(
        [(at, _short(d.label), *d[1:]) for at, d in enumerate(panel.dots)],
        columns=["at", "label", "value", "low", "high", "part"],
    )
    frame["printed"] = [f"{dot.value:.2f}" for dot in panel.dots]
    low, high = float(frame["low"].min()), float(frame["high"].max())
    room = max(high - low, 1.0)
    # The printed values stand to the right of the intervals and need room of their own.
    x = alt.Scale(domain=[low - 0.06 * room, high + 0.26 * room], nice=False, zero=False)
    axis = alt.Axis(values=_ticks(low, high))
    base = alt.Chart(frame).encode(
        y=alt.Y("at:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0.1))
    )
    middle = alt.X("value:Q", scale=x, title=panel.title, axis=axis)
    marks: list[alt.Chart] = [
        base.mark_rule(color=_INK, strokeWidth=1.5).encode(
            x=alt.X("low:Q", scale=x, title=panel.title, axis=axis), x2="high:Q"
        ),
        *(
            base.mark_tick(color=_INK, thickness=1.5, size=8).encode(x=alt.X(end, scale=x))
            for end in ("low:Q", "high:Q")
        ),
        *_points(base, frame, middle),
        base.mark_text(align="left", dx=7, color=_INK, fontSize=11).encode(
            x=alt.X("high:Q", scale=x), text="printed:N"
        ),
    ]
    if labelled:
        marks.append(
            base.mark_text(align="right", color=_INK, fontSize=11.5, limit=0).encode(
                x=alt.value(-12), text="label:N"
            )
        )
    return alt.layer(*marks).properties(width=220, height=alt.Step(24))


def _short(label: str) -> str:
    shown = " ".join(visible(label).split())
    return shown if len(shown) <= _LABEL_CHARACTERS else f"{shown[: _LABEL_CHARACTERS - 1]}…"


def _ticks(low: float, high: float) -> list[float]:
    """At most six round values within the data's range, which no score can leave."""
    steps = (step * scale for scale in (0.1, 1.0, 10.0) for step in (1.0, 2.0, 5.0))
    step = next((s for s in steps if (high - low) / s <= 5), 50.0)
    first, last = np.floor(low / step), np.ceil(high / step)
    ticks = np.round(np.arange(first, last + 1) * step, 1)
    return [float(tick) for tick in ticks if tick <= 100]


def _points(base: alt.Chart, frame: pd.DataFrame, middle: alt.X) -> list[alt.Chart]:
    return [
        base.transform_filter(alt.datum.part == part)
        .mark_point(filled=True, size=64, opacity=1, fill=fill, stroke=_ACCENT, strokeWidth=1.8)
        .encode(x=middle)
        for part, fill in ((False, _ACCENT), (True, _PAPER))
        if (frame["part"] == part).any()
    ]


def _inline_svg(chart: alt.TopLevelMixin, identifier: str, title: str, description: str) -> Markup:
    axis = alt.Axis(
        domainColor=_RULE,
        gridColor=_RULE,
        gridDash=[1, 3],
        labelColor=_MUTED,
        tickColor=_RULE,
        titleColor=_MUTED,
        titleFontWeight="normal",
        titleFontSize=11.5,
        labelFontSize=10.5,
        titlePadding=8,
    )
    spec = chart.configure(
        aria=False, background="transparent", font="sans-serif", view=alt.ViewConfig(stroke=None)
    ).to_dict()
    spec["config"]["axis"] = axis.to_dict()
    root = ET.fromstring(vl_convert.vegalite_to_svg(spec))
    _tidy(root)
    root.attrib.pop("class", None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{identifier}-title {identifier}-desc")
    for at, (tag, content) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{identifier}-{tag}"})
        element.text = visible(content)
        root.insert(at, element)
    return Markup(ET.tostring(root, encoding="unicode"))


def _tidy(element: ET.Element) -> None:
    """Drop what only Vega's own runtime reads, and digits below a hundredth of a pixel."""
    for name in ("class", "role", "aria-hidden", "aria-roledescription", "pointer-events"):
        element.attrib.pop(name, None)
    for name in ("transform", "d", "x2", "y2"):
        if name in element.attrib:
            element.set(name, re.sub(r"-?\d+\.\d{3,}", _hundredths, element.attrib[name]))
    for child in list(element):
        shapeless = child.tag == f"{{{_SVG}}}path" and "fill" not in child.attrib
        if shapeless and "stroke" not in child.attrib:
            element.remove(child)
        else:
            _tidy(child)


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
