"""The front page's short tables: a family's best models by every suite's main metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.board_labels import remarks
from reports.board_rows import Column, Line, Reproduced
from reports.records import Run, Score

MOST_LINES = 8


class Scale(NamedTuple):
    """The ends of a column's intervals, which its drawings go from and to."""

    least: float
    greatest: float


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
    """The first lines of a family's table, and how many lines (``total``) that table has.

    ``scales`` are the columns'; one without two intervals to compare has none, and no drawing.
    """

    columns: tuple[Column, ...]
    scales: tuple[Scale | None, ...]
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
    return FrontTable(columns, tuple(scales.values()), lines, len(reproduced.lines))


def _scale(runs: Sequence[Run | None]) -> Scale | None:
    """The least and the greatest bound of the runs' intervals, where there are two of them."""
    found = [
        (score.low, score.high)
        for run in runs
        if run is not None
        and (score := run.main) is not None
        and score.low is not None
        and score.high is not None
    ]
    if len(found) < 2:
        return None
    least, greatest = min(low for low, _ in found), max(high for _, high in found)
    return Scale(least, greatest) if least < greatest else None


def _span(score: Score | None, scale: Scale | None) -> Span | None:
    if (
        scale is None
        or score is None
        or score.value is None
        or score.low is None
        or score.high is None
    ):
        return None
    width = scale.greatest - scale.least
    return Span(
        *(100 * (bound - scale.least) / width for bound in (score.low, score.value, score.high))
    )
