"""A value against the number of regions: one curve a model, its name at its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing import INK, MUTED, PAPER, Caption
from reports.efficiency_axes import HEIGHT, WIDTH, Scales
from reports.efficiency_lines import Line, Reference
from reports.efficiency_names import named, names_beside
from reports.svg import Rows, inline_svg, specification
from reports.text import visible

if TYPE_CHECKING:
    import altair as alt

# What is longer would be cut off where names are short, and a name can be of any length.
_TITLE_CHARACTERS = 54
_LINE_CHARACTERS = 68
_MOST_LINES = 4


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
    import altair as alt

    layers = list(_layers(axes, ticks))
    names = [*(named(line) for line in lines), *(reference.label for reference in references)]
    chart = alt.layer(*layers).properties(
        width=WIDTH,
        height=HEIGHT,
        title=chart_title(caption.title, subtitle),
        padding=padding(names),
    )
    return inline_svg(specification(chart), _data(lines, references, axes), caption)


def padding(names: Sequence[str]) -> dict[str, float]:
    """Room around a chart with ``names`` at its right.

    The reader's font may be wider than the one that names are measured with.
    """
    return {"left": 5, "top": 5, "bottom": 5, "right": 5 + 1.3 * max(map(len, names))}


def chart_title(title: str, subtitle: Sequence[str]) -> alt.TitleParams:
    """What stands above a chart, also where its file is shown alone."""
    import altair as alt

    return alt.TitleParams(
        _wrapped(title, _TITLE_CHARACTERS),
        subtitle=[part for line in subtitle for part in _wrapped(line, _LINE_CHARACTERS)],
        anchor="start",
        frame="group",
        color=INK,
        fontSize=13.5,
        subtitleColor=MUTED,
        subtitleFontSize=11,
        subtitlePadding=5,
        offset=16,
    )


def _wrapped(text: str, characters: int) -> list[str]:
    """``text`` in lines, broken behind semicolons where that is enough."""
    lines: list[str] = []
    for part in re.split("(?<=;) ", visible(text)):
        if lines and len(f"{lines[-1]} {part}") <= characters:
            lines[-1] += f" {part}"
        else:
            lines += wrap(part, characters, max_lines=_MOST_LINES, placeholder=" …")
    return lines


def _layers(axes: Scales, ticks: Sequence[float]) -> Iterator[alt.Chart]:
    import altair as alt

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
        .encode(x=x, y=y, detail="piece:N", color=ink, strokeDash=dash)
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
            "piece": f"{at} {number}",
            "n": place.instances,
            "value": place.value,
            "high": place.high,
            "ink": line.style.ink,
            "dash": list(line.style.dash),
            "shape": line.style.shape,
        }
        for at, line in enumerate(lines)
        for number, piece in enumerate(line.pieces)
        for place in piece
    ]
    names, leaders = names_beside(lines, references, axes)
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
                "n": mark.beside,
                "n2": mark.instances,
                "value": mark.value,
                "ink": line.style.ink,
                "shape": line.style.shape,
            }
            for line in lines
            for mark in line.marks
        ],
        "names": names,
        "leaders": leaders,
    }
