"""Runs as typed records, read from the board's frames once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from reports.certified import Certified, Standing
from reports.frames import SCORE_COLUMNS, Board, ReportError

_DAY = len("2026-01-31")


@dataclass(frozen=True, slots=True)
class Score:
    """One number: ``value`` in [0, 1] (or [-1, 1]), its 95 % interval and denominator."""

    metric: str
    protocol: str
    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """One reproduced run: what answered, what it was asked, how its regions ended."""

    run: str
    suite: str
    suite_version: str
    model: str
    adapter: str
    checkpoint: str
    checkpoint_digest: str
    parameters: int | None
    base_model: str
    licence: str
    dtype: str
    device: str
    settings: str
    main_metric: str
    protocol: str
    encoder: str
    selection: str
    rank: int | None
    ranked: int
    full: bool
    complete: bool
    expected: int
    answered: int
    empty: int
    unanswerable: int
    errored: int
    missing: int
    started: str
    seconds: float | None
    certified: Standing
    certified_stage: str
    certified_difference: float | None
    certified_tolerance: float | None
    certified_on: str
    scores: tuple[Score, ...]

    def score(self, metric: str, protocol: str) -> Score | None:
        """That score, unless the run is incomplete: then no number of it is a score."""
        if not self.complete:
            return None
        return next(
            (
                score
                for score in self.scores
                if (score.metric, score.protocol) == (metric, protocol) and score.value is not None
            ),
            None,
        )

    @property
    def lack(self) -> str:
        """Why the run is incomplete, in words."""
        reasons = ((self.errored, "ended in an error"), (self.missing, "not asked"))
        told = [f"{count:,} {reason}" for count, reason in reasons if count]
        return f"{', '.join(told)}, of {self.expected:,}" if told else "not scored yet"

    @property
    def certificate(self) -> Certified:
        """How what answered compared with the official code."""
        return Certified(
            self.certified,
            self.certified_stage,
            self.certified_difference,
            self.certified_tolerance,
            self.certified_on[:_DAY],
        )

    @property
    def main(self) -> Score | None:
        """The board's number."""
        return self.score(self.main_metric, self.protocol)


def runs_of(board: Board) -> tuple[Run, ...]:
    """Every run of the board with its scores, in order of ``run``.

    Raises:
        ReportError: a run is listed twice, a score or page belongs to no listed run, or a cell
            is not what its column holds.
    """
    scores = _scores_by_run(board.scores)
    runs = tuple(sorted((_run(row, scores) for row in rows_of(board.runs)), key=attrgetter("run")))
    listed = [run.run for run in runs]
    if len(set(listed)) < len(listed):
        twice = next(a for a, b in itertools.pairwise(listed) if a == b)
        raise ReportError(f"the runs frame lists {twice!r} twice; every run has one row")
    for kind, named in (("scores frame", scores), ("pages", [page.run for page in board.pages])):
        for run in sorted(set(named) - set(listed)):
            raise ReportError(f"the {kind} name the run {run!r}, which the runs frame lacks")
    return runs


def rows_of(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The frame's rows by column as ``to_dict("records")`` has them, in a fraction of its time."""
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, row, strict=True)) for row in _cells(frame, frame.columns))


def text(value: object) -> str:
    """A frame's cell as text; a missing value is the empty text."""
    if isinstance(value, str):
        return value
    return "" if _absent(value) else str(value)


def texts_of(column: pd.Series[Any]) -> list[str]:
    """A frame's column as texts."""
    return [one if type(one) is str else text(one) for one in column.tolist()]


def real(value: object) -> float | None:
    """A frame's cell as a number, ``None`` where it is missing.

    Raises:
        ReportError: the cell is not a number.
    """
    if isinstance(value, float):
        return None if value != value else float(value)
    if _absent(value):
        return None
    try:
        return float(str(value))
    except ValueError:
        raise ReportError(f"{value!r} is not a number") from None


def _cells(frame: pd.DataFrame, columns: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(_values(frame[column]) for column in columns), strict=True)


_OWN = frozenset({bool, float, int, str, type(None)})


def _values(column: pd.Series[Any]) -> list[Any]:
    """A column's cells in Python's own values; what a nullable type lacks is ``None``."""
    cells = column.tolist()
    return cells if _OWN.issuperset(map(type, cells)) else [_own(cell) for cell in cells]


def _own(cell: Any) -> Any:
    if cell is pd.NA:
        return None
    return cell.item() if isinstance(cell, np.generic) else cell


def _scores_by_run(frame: pd.DataFrame) -> dict[str, tuple[Score, ...]]:
    found: dict[str, list[Score]] = {}
    for run, metric, protocol, value, low, high, count in _cells(frame, SCORE_COLUMNS):
        score = Score(
            metric=text(metric),
            protocol=text(protocol),
            value=real(value),
            low=real(low),
            high=real(high),
            count=_whole(count),
        )
        found.setdefault(text(run), []).append(score)
    return {run: tuple(scores) for run, scores in found.items()}


def _run(row: Mapping[str, object], scores: Mapping[str, tuple[Score, ...]]) -> Run:
    name = text(row["run"])
    parameters = real(row["parameters"])
    try:
        return Run(
            run=name,
            suite=text(row["suite"]),
            suite_version=text(row["suite_version"]),
            model=text(row["model"]),
            adapter=text(row["adapter"]),
            checkpoint=text(row["checkpoint"]),
            checkpoint_digest=text(row["checkpoint_digest"]),
            parameters=int(parameters) if parameters else None,
            base_model=text(row["base_model"]),
            licence=text(row["licence"]),
            dtype=text(row["dtype"]),
            device=text(row["device"]),
            settings=text(row["settings"]),
            main_metric=text(row["main_metric"]),
            protocol=text(row["protocol"]),
            encoder=text(row["encoder"]),
            selection=text(row["selection"]),
            rank=None if (rank := real(row["rank"])) is None else int(rank),
            ranked=_whole(row["ranked"]),
            full=row["full"] is not None and bool(row["full"]),
            complete=row["complete"] is not None and bool(row["complete"]),
            expected=_whole(row["expected"]),
            answered=_whole(row["answered"]),
            empty=_whole(row["empty"]),
            unanswerable=_whole(row["unanswerable"]),
            errored=_whole(row["errored"]),
            missing=_whole(row["missing"]),
            started=text(row["started"]),
            seconds=real(row["seconds"]),
            certified=_standing(row["certified"]),
            certified_stage=text(row["certified_stage"]),
            certified_difference=real(row["certified_difference"]),
            certified_tolerance=real(row["certified_tolerance"]),
            certified_on=text(row["certified_on"]),
            scores=scores.get(name, ()),
        )
    except ReportError as error:
        raise ReportError(f"run {name!r}: {error}") from None


def _standing(value: object) -> Standing:
    try:
        return Standing(text(value))
    except ValueError:
        known = ", ".join(repr(standing.value) for standing in Standing)
        raise ReportError(f"certified is {value!r}, expected one of {known}") from None


def _whole(value: object) -> int:
    number = real(value)
    return 0 if number is None else int(number)


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value
