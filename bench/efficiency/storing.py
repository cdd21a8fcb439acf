"""Records on disk: ``<folder>/<sweep>/<model>/<key>.json``, each written at once or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bench.atomic import clear_abandoned, write_json
from bench.efficiency.records import SCHEMA_VERSION, Record, parse
from bench.errors import StoreError
from bench.output import warn

_KEY_DIGITS = 24  # of a key's 64, in a file's name

Skip = Callable[[StoreError], None]
"""Hears of a file that cannot be read and is left out."""


class DamagedRecord(StoreError):
    """A file is no efficiency record, or no whole one; ``problem`` says which, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.problem = f"efficiency record {path} cannot be read ({reason})"
        super().__init__(
            f"{self.problem}; delete or move it: `bench efficiency` measures a lost point anew"
        )


def write_record(folder: Path, sweep: str, record: Record) -> Path:
    """Store a record in the place of an earlier one of the same key.

    Raises:
        StoreFull: there is no room.
        StoreError: the folder cannot be written.
    """
    path = place(folder, sweep, record)
    write_model(path, record)
    return path


def write_model(path: Path, model: BaseModel) -> None:
    """Write a record, or what becomes one, into a folder that is made if need be.

    Raises:
        StoreFull: there is no room.
        StoreError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"folder {path.parent} cannot be made: {error}") from error
    clear_abandoned(path.parent)
    write_json(path, model.model_dump(mode="json"))


def stored_record(folder: Path, sweep: str, like: Record) -> tuple[Path, Record] | None:
    """The stored record with the key of another, and its file; ``None`` where there is none.

    A damaged one counts as none: all that is lost is done again, in its place.

    Raises:
        StoreError: it is of a newer version of the project.
    """
    path = place(folder, sweep, like)
    if not path.is_file():
        return None
    try:
        return path, read_record(path)
    except DamagedRecord as error:
        _warn_once(f"{error.problem}; its point is done again, in its place")
        return None


def read_records(folder: Path, skip: Skip | None = None) -> list[Record]:
    """Every record at any depth of a folder, in the order of their paths.

    Args:
        folder: where they are.
        skip: hears of each that cannot be read; ``None`` raises instead.

    Raises:
        StoreError: one cannot be read; the message names its file.
    """
    found = []
    for path in sorted(folder.rglob("*.json")):
        try:
            found.append(read_record(path))
        except StoreError as error:
            if skip is None:
                raise
            skip(error)
    return found


def records_by_sweep(folder: Path, skip: Skip | None = None) -> Iterator[tuple[str, Record]]:
    """Every record below ``folder`` with its sweep, whose name is that of the sub-folder.

    Args:
        folder: where the sweeps are.
        skip: hears of each record that cannot be read; ``None`` raises instead.

    Raises:
        StoreError: one cannot be read; the message names its file.
    """
    for sweep in sorted(path for path in folder.glob("*") if path.is_dir()):
        for record in read_records(sweep, skip):
            yield sweep.name, record


def read_record(path: Path) -> Record:
    """One stored record.

    Raises:
        DamagedRecord: it is none, or cannot be read.
        StoreError: it is of a newer version of the project.
    """
    values: object = None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return parse(values, str(path))
    except (OSError, RecursionError, StoreError, ValueError) as error:
        if _is_newer(values):
            raise
        raise DamagedRecord(path, _reason(path, error)) from error


def place(folder: Path, sweep: str, record: Record) -> Path:
    """The file of a record."""
    return folder / sweep / record.subject.model / f"{record.key[:_KEY_DIGITS]}.json"


def _is_newer(values: object) -> bool:
    version = values.get("schema_version") if isinstance(values, dict) else None
    return isinstance(version, int) and version > SCHEMA_VERSION


def _reason(path: Path, error: Exception) -> str:
    """Why a file cannot be read, in one line that need not name it."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).removeprefix(f"{path} ")


@cache
def _warn_once(message: str) -> None:
    """Warn of what a sweep comes upon several times: before and after it has loaded a model."""
    warn(message)
