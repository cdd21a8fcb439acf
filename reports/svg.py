"""Charts as inline SVG: the page's own inks, no colour needed to read them, stable bytes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing import MUTED, RULE, Caption
from reports.text import visible

if TYPE_CHECKING:
    import altair as alt

_SVG = "http://www.w3.org/2000/svg"
_ONLY_FOR_VEGA = ("class", "role", "aria-hidden", "aria-roledescription", "pointer-events")
_DEFAULTS = {("opacity", "1"), ("stroke-width", "1"), ("font-family", "sans-serif")}

ET.register_namespace("", _SVG)

Rows = Sequence[Mapping[str, object]]
Specification = dict[str, object]


def specification(chart: alt.TopLevelMixin) -> Specification:
    """The Vega-Lite specification of a chart over named data, in the pages' style."""
    import altair as alt

    axis = alt.AxisConfig(
        domainColor=RULE,
        gridColor=RULE,
        gridDash=[1, 3],
        labelColor=MUTED,
        labelFontSize=10.5,
        tickColor=RULE,
        titleColor=MUTED,
        titleFontSize=11.5,
        titleFontWeight="normal",
        titlePadding=8,
    )
    configured = chart.configure(
        aria=False,
        axis=axis,
        background="transparent",
        font="sans-serif",
        view=alt.ViewConfig(stroke=None),
    )
    return dict(configured.to_dict())


def inline_svg(chart: Specification, data: Mapping[str, Rows], caption: Caption) -> Markup:
    """Draw ``chart`` with its named ``data``, titled and described for screen readers."""
    import vl_convert

    root = ET.fromstring(vl_convert.vegalite_to_svg({**chart, "datasets": data}))
    _tidy(root)
    root.set("role", "img")
    root.set("aria-labelledby", f"{caption.identifier}-title {caption.identifier}-desc")
    for at, (tag, content) in enumerate((("title", caption.title), ("desc", caption.description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{caption.identifier}-{tag}"})
        element.text = visible(content)
        root.insert(at, element)
    return Markup(ET.tostring(root, encoding="unicode"))


def _tidy(element: ET.Element) -> None:
    """Drop what only Vega's own runtime reads, and digits below a hundredth of a pixel."""
    for name, value in list(element.attrib.items()):
        if name in _ONLY_FOR_VEGA or (name, value) in _DEFAULTS:
            del element.attrib[name]
        elif name in ("transform", "d", "x2", "y2"):
            element.set(name, re.sub(r"-?\d+\.\d{3,}", _hundredths, value))
    for child in list(element):
        _tidy(child)
        drawn = child.tag != f"{{{_SVG}}}g" and ("fill" in child.attrib or "stroke" in child.attrib)
        if not drawn and not len(child) and not child.text:
            element.remove(child)


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
