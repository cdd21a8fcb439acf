"""Reproduced runs arranged for one family's table: one line per model, a group per suite."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.certified import Certified, weakest
from reports.families import Family, family_of
from reports.records import Run


class Column(NamedTuple):
    """One group of columns; two sets, protocols or encoders never share one.

    ``metrics`` begins with the suite's main one; ``ranked`` says whether any run has a rank.
    """

    suite: str
    suite_version: str
    protocol: str
    encoder: str
    metrics: tuple[str, ...]
    ranked: bool

    @property
    def how(self) -> str:
        """How answers were scored: protocol and, where it reads texts, encoder."""
        return " · ".join(filter(None, (self.protocol, self.encoder)))

    @property
    def width(self) -> int:
        """How many columns the group has: rank, metrics, answered regions."""
        return self.ranked + len(self.metrics) + 1


class Line(NamedTuple):
    """One model of a table and its runs, one per column or none."""

    runs: tuple[Run | None, ...]

    @property
    def head(self) -> Run:
        """The run that names the line's model."""
        return next(run for run in self.runs if run is not None)

    @property
    def alone(self) -> bool:
        """Whether it is the line of one run."""
        return len(self.runs) - self.runs.count(None) == 1

    @property
    def certificate(self) -> Certified:
        """The weakest of its runs' certificates."""
        return weakest(run.certificate for run in self.runs if run is not None)

    @property
    def qualified(self) -> bool:
        """Whether a run of the line is incomplete or over a part of its suite."""
        return any(run is not None and not (run.full and run.complete) for run in self.runs)


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A family's table: whole-suite scores first, best first; partial and incomplete below.

    Of a suite's columns, that of most complete runs over the whole suite comes first.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    @property
    def starts(self) -> tuple[int, ...]:
        """Where groups of columns and what follows them begin; the models' own column is 0."""
        return tuple(itertools.accumulate((column.width for column in self.columns), initial=1))


def arrange(runs: Iterable[Run], family: Family) -> Reproduced:
    """The family's runs as lines of models.

    Two runs of one model that belong in the same column (one over a part of the suite, say)
    take two lines, so that nothing is hidden.
    """
    own = [run for run in runs if family_of(run).key == family.key]
    columns = _columns(own, family)
    places = {run.run: _place(run, columns) for run in own}
    lines: list[Line] = []
    for same in _by_model(own):
        waiting = [[run for run in same if places[run.run] == at] for at in range(len(columns))]
        while any(waiting):
            lines.append(Line(tuple(queue.pop(0) if queue else None for queue in waiting)))
    lines.sort(key=_best_first)
    return Reproduced(columns, tuple(lines))


def _group(run: Run) -> tuple[str, str, str, str]:
    return run.suite, run.suite_version, run.protocol, run.encoder


def _place(run: Run, columns: Sequence[Column]) -> int:
    """The run's column; one that was never scored has no encoder yet and fits any."""
    return next(
        at
        for at, column in enumerate(columns)
        if column[:4] == _group(run) or (not run.encoder and column[:3] == _group(run)[:3])
    )


def _columns(runs: Sequence[Run], family: Family) -> tuple[Column, ...]:
    found: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for run in runs:
        metrics = found.setdefault(_group(run), {run.main_metric: None})
        for metric in family.metrics:
            if any((s.metric, s.protocol) == (metric, run.protocol) for s in run.scores):
                metrics.setdefault(metric)
    for group in [group for group in found if not group[3]]:
        if any(other[:3] == group[:3] and other[3] for other in found):
            del found[group]
    ranked = {_group(run) for run in runs if run.rank is not None}
    whole = Counter(_group(run) for run in runs if run.full and run.complete)
    ordered = sorted(found, key=lambda group: (family.column_order(group[0]), -whole[group], group))
    return tuple(Column(*group, tuple(found[group]), group in ranked) for group in ordered)


def _by_model(runs: Iterable[Run]) -> list[list[Run]]:
    models: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        identity = (run.model, run.adapter, run.checkpoint_digest, run.settings, run.dtype)
        models.setdefault(identity, []).append(run)
    for same in models.values():
        same.sort(key=lambda run: (not (run.full and run.complete), run.run))
    return list(models.values())


def _best_first(line: Line) -> tuple[object, ...]:
    standings = [_standing(run) for run in line.runs]
    best = min(standing for standing, _ in standings)
    return best, standings, line.head.model, line.head.run


def _standing(run: Run | None) -> tuple[int, float]:
    if run is None:
        return 3, 0.0
    if run.main is None or run.main.value is None:
        return 2, 0.0
    return (0 if run.full else 1), -run.main.value
