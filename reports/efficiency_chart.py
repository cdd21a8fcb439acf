"""A value against the number of regions: one curve a model, told apart without colour.

Every curve has an ink, a dash pattern, a marker and its name at its end. Both axes are
logarithmic, so that equal ratios are equal lengths and "N times as much" is a straight line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import altair as alt
from markupsafe import Markup

from reports.svg import INK, PAPER, Caption, Rows, inline_svg, specification
from reports.text import visible

MUTED = "var(--muted)"
WIDTH, HEIGHT = 380, 290
_LABEL_CHARACTERS = 30
_LABEL_GAP = 15.0
_LABELS_AT = WIDTH + 26.0


class Style(NamedTuple):
    """How a curve looks; ``ink`` is a variable of the page's style sheet."""

    ink: str
    dash: tuple[int, ...]
    shape: str


_STAR = "M0,-1.1L.3,-.36L1.05,-.34L.46,.14L.65,.89L0,.45L-.65,.89L-.46,.14L-1.05,-.34L-.3,-.36Z"
STYLES = tuple(
    Style(f"var(--s{at})", dash, shape)
    for at, (dash, shape) in enumerate(
        (
            ((), "circle"),
            ((7, 3), "square"),
            ((2, 2), "triangle-up"),
            ((9, 3, 2, 3), "diamond"),
            ((13, 4), "triangle-down"),
            ((4, 2, 1, 2), "cross"),
            ((1, 3), "triangle-right"),
            ((9, 3, 2, 3, 2, 3), _STAR),
        ),
        start=1,
    )
)
"""A chart holds no more curves than there are styles."""


class Place(NamedTuple):
    """One point; ``high`` is the upper end of its whisker, in the value's unit."""

    instances: int
    value: float
    high: float | None = None


class Line(NamedTuple):
    """One model's curve, in order of ``instances``.

    ``stopped`` is the number of regions at which there was no value any more, and why.
    """

    label: str
    style: Style
    places: Sequence[Place]
    stopped: tuple[int, str] | None = None


class Reference(NamedTuple):
    """A line to compare with, named at its end."""

    label: str
    places: Sequence[Place]


class Scales(NamedTuple):
    """Both axes, so that charts beside each other can share them."""

    instances: Sequence[int]
    low: float
    high: float

    def x(self, instances: float) -> float:
        """Pixels from the left."""
        first, last = self.ends
        return WIDTH * math.log(instances / first) / math.log(last / first)

    def instances_at(self, x: float) -> float:
        """The number of regions that many pixels from the left."""
        first, last = self.ends
        return float(first * (last / first) ** (x / WIDTH))

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return HEIGHT * (1 - math.log(value / self.low) / math.log(self.high / self.low))

    def value_at(self, y: float) -> float:
        """The value that many pixels from the top."""
        return float(self.low * (self.high / self.low) ** (1 - y / HEIGHT))

    @property
    def ends(self) -> tuple[float, float]:
        """The axis of regions, a doubling wide at least."""
        first, last = min(self.instances), max(self.instances)
        return (first, last) if last > first else (first / 1.5, first * 1.5)


def scales(lines: Sequence[Line], references: Sequence[Reference] = ()) -> Scales:
    """Axes on which everything has room."""
    places = [place for line in lines for place in line.places]
    places += [place for reference in references for place in reference.places]
    values = [v for place in places for v in (place.value, place.high) if v]
    counts = {place.instances for place in places}
    counts |= {line.stopped[0] for line in lines if line.stopped}
    low, high = min(values), max(values)
    room = max(high / low, 2.0) ** 0.07
    return Scales(sorted(counts), low / room, high * room)


def curve_chart(
    lines: Sequence[Line],
    references: Sequence[Reference],
    axes: Scales,
    ticks: Sequence[float],
    caption: Caption,
    *,
    subtitle: Sequence[str],
) -> Markup:
    """Draw the curves; the caption's title stands above them."""
    layers = list(_layers(axes, ticks))
    # The reader's font may be wider than the one labels are measured with.
    widest = max(len(_named(line)) for line in lines)
    chart = alt.layer(*layers).properties(
        width=WIDTH,
        height=HEIGHT,
        title=chart_title(caption.title, subtitle),
        padding={"left": 5, "top": 5, "bottom": 5, "right": 5 + 1.3 * widest},
    )
    return inline_svg(specification(chart), _data(lines, references, axes), caption)


def chart_title(title: str, subtitle: Sequence[str]) -> alt.TitleParams:
    """What stands above a chart, also where its file is shown alone."""
    return alt.TitleParams(
        visible(title),
        subtitle=[visible(line) for line in subtitle],
        anchor="start",
        frame="group",
        color=INK,
        fontSize=13.5,
        subtitleColor=MUTED,
        subtitleFontSize=11,
        subtitlePadding=5,
        offset=16,
    )


def ticks_125(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … within the axis; more on a short axis, fewer on a long one."""
    for steps in (range(1, 10), (1, 2, 5), (1, 3), (1,)):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [step * 10.0**decade for decade in decades for step in steps]
        inside = [float(f"{tick:.6g}") for tick in found if low <= tick <= high]
        if len(inside) <= (4 if len(steps) == 9 else 9):
            break
    return inside


def ticks_doubling(low: float, high: float) -> list[float]:
    """1, 2, 4, 8, … within the axis, and a half and less below."""
    exponents = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    return [2.0**exponent for exponent in exponents]


def _layers(axes: Scales, ticks: Sequence[float]) -> Iterator[alt.Chart]:
    x = alt.X(
        "n:Q",
        title="regions in the picture, N",
        scale=alt.Scale(type="log", base=2, domain=list(axes.ends), nice=False),
        axis=alt.Axis(
            values=list(axes.instances),
            format="d",
            labelOverlap=False,
            labelFlush=False,
            grid=False,
        ),
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(type="log", domain=[axes.low, axes.high], nice=False),
        axis=alt.Axis(values=list(ticks), format=",~g", labelOverlap=False),
    )
    ink = alt.Color("ink:N", scale=None)
    filled = alt.Fill("ink:N", scale=None)
    dash = alt.StrokeDash("dash:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)

    def over(name: str) -> alt.Chart:
        return alt.Chart(alt.NamedData(name))

    yield (
        over("references")
        .mark_line(color=MUTED, strokeWidth=1, strokeDash=[3, 3])
        .encode(x=x, y=y, detail="label:N")
    )
    yield (
        over("leaders")
        .mark_rule(strokeWidth=0.8, opacity=0.65)
        .encode(x=x, y=y, x2="n2:Q", y2="value2:Q", color=ink)
    )
    yield (
        over("stops")
        .mark_rule(strokeWidth=1.6, strokeDash=[1.5, 3])
        .encode(x=x, y=y, x2="n2:Q", color=ink)
    )
    yield over("whiskers").mark_rule(strokeWidth=1).encode(x=x, y=y, y2="high:Q", color=ink)
    yield (
        over("whiskers")
        .mark_tick(orient="horizontal", size=7, thickness=1)
        .encode(x=x, y=alt.Y("high:Q"), color=ink)
    )
    yield (
        over("places")
        .mark_line(strokeWidth=1.9)
        .encode(x=x, y=y, detail="label:N", color=ink, strokeDash=dash)
    )
    yield (
        over("places")
        .mark_point(filled=True, size=62, opacity=1, stroke=PAPER, strokeWidth=1.1)
        .encode(x=x, y=y, fill=filled, shape=shape)
    )
    yield (
        over("stops")
        .mark_point(size=70, opacity=1, strokeWidth=1.7, fill=PAPER)
        .encode(x="n2:Q", y=y, stroke=alt.Stroke("ink:N", scale=None), shape=shape)
    )
    yield (
        over("names")
        .mark_text(align="left", baseline="middle", fontSize=11.5, limit=0)
        .encode(x=x, y=y, text="label:N", color=ink)
    )


def _data(
    lines: Sequence[Line], references: Sequence[Reference], axes: Scales
) -> Mapping[str, Rows]:
    places = [
        {
            "label": str(at),
            "n": place.instances,
            "value": place.value,
            "high": place.high,
            "ink": line.style.ink,
            "dash": list(line.style.dash),
            "shape": line.style.shape,
        }
        for at, line in enumerate(lines)
        for place in line.places
    ]
    names, leaders = _names(lines, references, axes)
    return {
        "places": places,
        "whiskers": [row for row in places if row["high"]],
        "references": [
            {"label": str(at), "n": place.instances, "value": place.value}
            for at, reference in enumerate(references)
            for place in reference.places
        ],
        "stops": [
            {
                "n": line.places[-1].instances,
                "n2": line.stopped[0],
                "value": line.places[-1].value,
                "ink": line.style.ink,
                "shape": line.style.shape,
            }
            for line in lines
            if line.stopped
        ],
        "names": names,
        "leaders": leaders,
    }


def _names(
    lines: Sequence[Line], references: Sequence[Reference], axes: Scales
) -> tuple[Rows, Rows]:
    """The names at the curves' ends, moved apart, and the leaders to them."""
    ends = [
        (
            line.places[-1].value,
            line.stopped[0] if line.stopped else line.places[-1].instances,
            _named(line),
            line.style.ink,
        )
        for line in lines
    ] + [
        (reference.places[-1].value, reference.places[-1].instances, reference.label, MUTED)
        for reference in references
    ]
    wanted = [axes.y(end[0]) for end in ends]
    names, leaders = [], []
    for (value, n, label, ink), at, moved in zip(ends, wanted, spread(wanted), strict=True):
        beside = axes.instances_at(_LABELS_AT)
        names.append({"label": label, "n": beside, "value": axes.value_at(moved), "ink": ink})
        if n < max(axes.instances) or abs(moved - at) > 1:
            before = axes.instances_at(_LABELS_AT - 4)
            step = axes.instances_at(max(axes.x(n) + 8, _LABELS_AT - 18))
            if n < max(axes.instances):
                leaders.append(_leader(axes.instances_at(axes.x(n) + 8), value, step, value, ink))
            leaders.append(_leader(step, value, before, axes.value_at(moved), ink))
    return names, leaders


def _leader(n: float, value: float, n2: float, value2: float, ink: str) -> Mapping[str, object]:
    return {"n": n, "value": value, "n2": n2, "value2": value2, "ink": ink}


def spread(wanted: Sequence[float], gap: float = _LABEL_GAP) -> list[float]:
    """Positions at least ``gap`` apart, in the order of ``wanted`` and as near to it as can be.

    None lies above half a gap. Neighbours that are too close form a block around the mean of what
    its members want.
    """
    blocks: list[list[int]] = []
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        blocks.append([index])
        while len(blocks) > 1 and _top(blocks[-1], wanted, gap) < _top(
            blocks[-2], wanted, gap
        ) + gap * len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    moved = [0.0] * len(wanted)
    lowest = gap / 2
    for block in blocks:
        top = max(_top(block, wanted, gap), lowest)
        for at, index in enumerate(block):
            moved[index] = top + at * gap
        lowest = top + len(block) * gap
    return moved


def _top(block: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    return sum(wanted[i] - at * gap for at, i in enumerate(block)) / len(block)


def _named(line: Line) -> str:
    return _short(line.label) + (f" – {line.stopped[1]}" if line.stopped else "")


def _short(label: str) -> str:
    shown = " ".join(visible(label).split())
    return shown if len(shown) <= _LABEL_CHARACTERS else f"{shown[: _LABEL_CHARACTERS - 1]}…"
