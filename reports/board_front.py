"""The front page's short tables: a family's best models by every suite's main metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.board_labels import remarks
from reports.board_rows import Column, Line, Reproduced
from reports.records import Run, Score

MOST_LINES = 8


class Span(NamedTuple):
    """Where a score and its interval lie on their column's scale, in percent of its width."""

    low: float
    value: float
    high: float


class FrontCell(NamedTuple):
    """One run's main score; no ``span`` where there is no interval to draw."""

    run: Run
    score: Score | None
    span: Span | None


class FrontLine(NamedTuple):
    """One model: what tells it from others of its name, and a cell per column or none."""

    line: Line
    remark: str
    cells: tuple[FrontCell | None, ...]


@dataclass(frozen=True, slots=True)
class FrontTable:
    """The first lines of a family's table, and how many lines (``total``) that table has."""

    columns: tuple[Column, ...]
    lines: tuple[FrontLine, ...]
    total: int


def arrange(reproduced: Reproduced) -> FrontTable:
    """The best lines and the columns they fill, each column on a scale of its own."""
    shown = reproduced.lines[:MOST_LINES]
    filled = [at for at in range(len(reproduced.columns)) if any(line.runs[at] for line in shown)]
    scales = {at: _scale([line.runs[at] for line in shown]) for at in filled}
    lines = tuple(
        FrontLine(
            line,
            remark,
            tuple(
                None if run is None else FrontCell(run, run.main, _span(run.main, scales[at]))
                for at in filled
                for run in [line.runs[at]]
            ),
        )
        for line, remark in zip(shown, remarks([line.head for line in shown]), strict=True)
    )
    columns = tuple(reproduced.columns[at] for at in filled)
    return FrontTable(columns, lines, len(reproduced.lines))


def _scale(runs: Sequence[Run | None]) -> tuple[float, float]:
    """The least and the greatest bound of the runs' intervals."""
    bounds = [
        bound
        for run in runs
        if run is not None and run.main is not None
        for bound in (run.main.low, run.main.high)
        if bound is not None
    ]
    return (min(bounds), max(bounds)) if bounds else (0.0, 0.0)


def _span(score: Score | None, scale: tuple[float, float]) -> Span | None:
    least, greatest = scale
    if (
        score is None
        or score.value is None
        or score.low is None
        or score.high is None
        or greatest <= least
    ):
        return None
    return Span(
        *(
            100 * (bound - least) / (greatest - least)
            for bound in (score.low, score.value, score.high)
        )
    )
