"""Short names of runs where the room for them is small."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reports.records import Run

_SEPARATOR = " · "
_BETWEEN = ", "


def labels(runs: Sequence[Run]) -> list[str]:
    """Model names, told apart by the first property in which runs of one model differ."""
    told = (_told_apart(run, runs)[1] for run in runs)
    return [
        _SEPARATOR.join(filter(None, (run.model, one))) for run, one in zip(runs, told, strict=True)
    ]


def remarks(runs: Sequence[Run]) -> list[str]:
    """What tells runs of one model apart in a table that marks parts of a suite itself."""
    told = (_told_apart(run, runs) for run in runs)
    return ["" if name == "selection" else value for name, value in told]


def settings_of(told: str) -> list[str]:
    """A run's settings one by one, from ``"multi_instance=cascade, scale=2"``."""
    return told.split(_BETWEEN) if told else []


def common_settings(runs: Iterable[Run]) -> dict[str, str]:
    """What all runs of an adapter have set alike, by adapter."""
    found: dict[str, list[str]] = {}
    for run in runs:
        own = settings_of(run.settings)
        found[run.adapter] = [s for s in found.get(run.adapter, own) if s in own]
    return {adapter: _BETWEEN.join(settings) for adapter, settings in found.items()}


def settings_beyond(run: Run, common: Mapping[str, str]) -> str:
    """The run's settings without those that all runs of its adapter share."""
    shared = settings_of(common.get(run.adapter, ""))
    return _BETWEEN.join(s for s in settings_of(run.settings) if s not in shared)


def _told_apart(run: Run, runs: Sequence[Run]) -> tuple[str, str]:
    """The property that tells the run from others of its model, and its value there."""
    same = [other for other in runs if other.model == run.model]
    for name in ("settings", "selection", "run"):
        told = [str(getattr(other, name)) for other in same]
        if len(set(told)) == len(told) > 1:
            own = settings_beyond(run, common_settings(same)) if name == "settings" else ""
            return name, own or str(getattr(run, name))
    return "", ""
