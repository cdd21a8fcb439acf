"""Stored runs by the short names people give them on a command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from adapters.interface import suggestion
from bench.config import Config
from bench.errors import StoreError
from bench.store import StoredRun, stored_runs

_SHOWN = 10  # names listed in an error message


def find_runs(config: Config, given: str) -> list[StoredRun]:
    """The run or runs that ``given`` means, sorted by name.

    It is a run's folder, ``<suite>/<model>/<run id>``, or, for the run that was worked on last,
    ``<suite>/<model>``; a ``<model>`` alone means its last run on every suite.

    Raises:
        StoreError: it means no stored run; the nearest names are suggested.
    """
    if (folder := _folder(given)) is not None:
        return [folder]
    stored = stored_runs(config.runs)
    parts = given.strip("/").split("/")
    if len(parts) == 1:
        meant = [run for run in stored if _model(run) == parts[0]]
    else:
        meant = [run for run in stored if _parts(run)[: len(parts)] == parts]
    if not meant:
        raise StoreError(_not_found(config, given, stored))
    return [_latest(runs) for _, runs in groupby(meant, key=_suite)]


def _folder(given: str) -> StoredRun | None:
    try:
        run = StoredRun(Path(given).expanduser().resolve())
        return run if run.exists else None
    except (OSError, RuntimeError, ValueError):  # nothing in a file system is called that
        return None


def _latest(runs: Iterable[StoredRun]) -> StoredRun:
    candidates = list(runs)
    return candidates[0] if len(candidates) == 1 else max(candidates, key=_last_worked_on)


def _last_worked_on(run: StoredRun) -> tuple[str, str]:
    sessions = run.manifest().sessions
    return (sessions[-1].started if sessions else "", run.name)


def _not_found(config: Config, given: str, stored: Sequence[StoredRun]) -> str:
    if not stored:
        return f"no run is stored under {config.runs}, so none is called {given!r}; do `bench run`"
    models = sorted({_model(run) for run in stored})
    known = [*models, *sorted({"/".join(_parts(run)[:2]) for run in stored})]
    shown = ", ".join(models[:_SHOWN]) + (", …" if len(models) > _SHOWN else "")
    return (
        f"no run stored under {config.runs} is called {given!r}"
        f"{suggestion(given, [*known, *(run.name for run in stored)])}; give a run's folder, "
        f"SUITE/MODEL/RUN, SUITE/MODEL or MODEL, of the models: {shown}"
    )


def _parts(run: StoredRun) -> list[str]:
    return run.name.split("/")


def _suite(run: StoredRun) -> str:
    return _parts(run)[0]


def _model(run: StoredRun) -> str:
    return _parts(run)[1]
