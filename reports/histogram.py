"""How a run's regions spread over the scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import altair as alt
import numpy as np
from markupsafe import Markup

from reports.svg import ACCENT, PAPER, Caption, Specification, inline_svg, specification


def histogram(values: Sequence[float], caption: Caption, *, axis: str) -> Markup:
    """Count ``values`` in [0, 1] by twentieths (from below 0 where some are negative)."""
    lowest = min(0.0, float(np.floor(min(values) * 20) / 20))
    edges = np.round(np.arange(lowest, 1.0 + 0.025, 0.05), 2)
    # A cosine of 1 can exceed it by a rounding error.
    counts, _ = np.histogram(np.clip(values, lowest, 1.0), bins=edges)
    bins = [
        {"from": round(float(low) * 100), "to": round(float(high) * 100), "regions": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return inline_svg(_chart(axis), {"bins": bins}, caption)


@cache
def _chart(axis: str) -> Specification:
    return specification(
        alt.Chart(alt.NamedData("bins"))
        .mark_bar(color=ACCENT, stroke=PAPER, strokeWidth=1)
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
