"""The board's charts: one figure a suite, its runs' headline metrics with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports import formatting, paths
from reports.board_labels import labels
from reports.board_rows import Column, Reproduced
from reports.dot_chart import Dot, Panel, dot_chart, least_width
from reports.drawing import Caption
from reports.families import suite_title
from reports.records import Run

MOST_RUNS = 12
"""A chart stays readable; the table has every run."""


class Figure(NamedTuple):
    """One suite's chart, the words below it, and how many pixels it can be narrowed to."""

    caption: str
    least: int
    svg: Markup


def figures(reproduced: Reproduced) -> Iterator[Figure]:
    """A figure for every column with at least two scored runs to compare.

    Where there are several, each has its suite's main metric alone.
    """
    found = []
    for at, column in enumerate(reproduced.columns):
        runs = [run for line in reproduced.lines if (run := line.runs[at]) and run.main]
        if len(runs) > 1:
            found.append((column, sorted(runs, key=_best_first)))
    for column, runs in found:
        yield _figure(column, runs, column.metrics if len(found) == 1 else column.metrics[:1])


def _figure(column: Column, runs: Sequence[Run], metrics: Sequence[str]) -> Figure:
    shown = runs[:MOST_RUNS]
    panels = [
        Panel(formatting.words(metric), dots)
        for metric in metrics
        if (dots := _dots(shown, metric, column.protocol))
    ]
    suite = suite_title(column.suite)
    first = panels[0]
    listed = "; ".join(
        f"{dot.label} {dot.value:.2f}, {dot.low:.2f} to {dot.high:.2f}" for dot in first.dots[:5]
    )
    more = f"; and {len(shown) - 5} more" if len(shown) > 5 else ""
    best = f" The best {MOST_RUNS} of {len(runs)} runs." if len(runs) > MOST_RUNS else ""
    hollow = " Hollow dots: a part of the suite." if any(not run.full for run in shown) else ""
    return Figure(
        f"{suite}: points with 95 % intervals.{best}{hollow}",
        least_width(panels),
        dot_chart(
            panels,
            Caption(
                f"chart-{paths.slug('-'.join(column[:4]))}",
                f"{suite}: {' and '.join(panel.title for panel in panels)} of {len(shown)} runs",
                f"{first.title} with 95 % interval: {listed}{more}. The table has all.",
            ),
        ),
    )


def _dots(runs: Sequence[Run], metric: str, protocol: str) -> list[Dot]:
    """One dot per run, or none at all where a run lacks the metric."""
    dots = []
    for run, label in zip(runs, labels(runs), strict=True):
        score = run.score(metric, protocol)
        if score is None or score.value is None:
            return []
        low = score.value if score.low is None else score.low
        high = score.value if score.high is None else score.high
        dots.append(Dot(label, score.value * 100, low * 100, high * 100, part=not run.full))
    return dots


def _best_first(run: Run) -> tuple[bool, float, str]:
    value = run.main.value if run.main else None
    return not run.full, -(value or 0.0), run.run
