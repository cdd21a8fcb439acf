"""Reproduced runs arranged for one family's table: one line per model, a group per suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.certified import Certified, weakest
from reports.families import HEADLINE_METRICS, Family
from reports.records import Run, Score


class Column(NamedTuple):
    """One group of columns; two sets, protocols or encoders never share one.

    ``metrics`` begins with the suite's main one.
    """

    suite: str
    suite_version: str
    protocol: str
    encoder: str
    metrics: tuple[str, ...]


class Line(NamedTuple):
    """One model of a table and its runs, one per column or none."""

    runs: tuple[Run | None, ...]

    @property
    def head(self) -> Run:
        """The run that names the line's model."""
        return next(run for run in self.runs if run is not None)

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
    """A family's table: whole-suite scores first, best first; partial and incomplete below."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def arrange(runs: Iterable[Run], family: Family) -> Reproduced:
    """The family's runs as lines of models.

    Two runs of one model that belong in the same column (one over a part of the suite, say)
    take two lines, so that nothing is hidden.
    """
    own = [run for run in runs if run.suite in family.suites]
    columns = _columns(own, family)
    places = {run.run: _place(run, columns) for run in own}
    lines: list[Line] = []
    for same in _by_model(own):
        waiting = [[run for run in same if places[run.run] == at] for at in range(len(columns))]
        while any(waiting):
            lines.append(Line(tuple(queue.pop(0) if queue else None for queue in waiting)))
    lines.sort(key=_best_first)
    return Reproduced(columns, tuple(lines))


def figures(column: Column, run: Run) -> tuple[Score | None, ...]:
    """The run's scores in the column's order of metrics; all ``None`` when it is incomplete."""
    return tuple(run.score(metric, column.protocol) for metric in column.metrics)


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
        for metric in HEADLINE_METRICS:
            if any((s.metric, s.protocol) == (metric, run.protocol) for s in run.scores):
                metrics.setdefault(metric)
    for group in [group for group in found if not group[3]]:
        if any(other[:3] == group[:3] and other[3] for other in found):
            del found[group]
    return tuple(
        Column(*group, tuple(found[group]))
        for group in sorted(found, key=lambda group: (family.suites.index(group[0]), group))
    )


def _by_model(runs: Iterable[Run]) -> list[list[Run]]:
    models: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        identity = (run.model, run.adapter, run.checkpoint_digest, run.settings, run.dtype)
        models.setdefault(identity, []).append(run)
    for same in models.values():
        same.sort(key=lambda run: (not (run.full and run.complete), run.run))
    return list(models.values())


def _best_first(line: Line) -> tuple[object, ...]:
    return tuple(_standing(run) for run in line.runs), line.head.model, line.head.run


def _standing(run: Run | None) -> tuple[int, float]:
    if run is None:
        return 3, 0.0
    if run.main is None or run.main.value is None:
        return 2, 0.0
    return (0 if run.full else 1), -run.main.value
