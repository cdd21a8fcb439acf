"""Short names of runs where the room for them is small."""

from __future__ import annotations

from collections.abc import Sequence

from reports.records import Run

_SEPARATOR = " · "


def labels(runs: Sequence[Run]) -> list[str]:
    """Model names, told apart by the first property in which runs of one model differ."""
    return [_SEPARATOR.join((run.model, *_told_apart(run, runs))) for run in runs]


def remarks(runs: Sequence[Run]) -> list[str]:
    """What a label adds to the model's name; empty where the name says all."""
    return [_SEPARATOR.join(_told_apart(run, runs)) for run in runs]


def _told_apart(run: Run, runs: Sequence[Run]) -> tuple[str, ...]:
    same = [other for other in runs if other.model == run.model]
    for name in ("settings", "selection", "run"):
        told = [str(getattr(other, name)) for other in same]
        if len(set(told)) == len(told) > 1:
            return (str(getattr(run, name)),)
    return ()
