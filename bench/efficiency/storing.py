"""Records on disk: ``<folder>/<sweep>/<model>/<key>.json``, each written at once or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bench.atomic import clear_temporaries, write_json
from bench.efficiency.records import Record, parse
from bench.errors import StoreError

_KEY_DIGITS = 24  # of a key's 64, in a file's name


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
    clear_temporaries(path.parent)
    write_json(path, model.model_dump(mode="json"))


def stored_record(folder: Path, sweep: str, like: Record) -> tuple[Path, Record] | None:
    """The stored record with the key of another, and its file; ``None`` where there is none.

    Raises:
        StoreError: it cannot be read.
    """
    path = place(folder, sweep, like)
    return (path, read_record(path)) if path.is_file() else None


def read_records(folder: Path) -> list[Record]:
    """Every record at any depth of a folder, in the order of their paths.

    Raises:
        StoreError: one cannot be read; the message names its file.
    """
    return [read_record(path) for path in sorted(folder.rglob("*.json"))]


def records_by_sweep(folder: Path) -> Iterator[tuple[str, Record]]:
    """Every record below ``folder`` with its sweep, whose name is that of the sub-folder.

    Raises:
        StoreError: one cannot be read; the message names its file.
    """
    for sweep in sorted(path for path in folder.glob("*") if path.is_dir()):
        for record in read_records(sweep):
            yield sweep.name, record


def read_record(path: Path) -> Record:
    """One stored record.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, ValidationError) as error:
        raise StoreError(f"efficiency record {path} cannot be read: {error}") from error


def place(folder: Path, sweep: str, record: Record) -> Path:
    """The file of a record."""
    return folder / sweep / record.subject.model / f"{record.key[:_KEY_DIGITS]}.json"
