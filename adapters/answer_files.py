"""Reading answers made elsewhere: JSON lines or CSV with ``region_id`` and ``text``."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from adapters.interface import CheckpointError


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_answers(path: Path) -> dict[str, str]:
    """Texts by region id from a ``.jsonl`` or ``.csv`` file.

    JSON lines hold objects with the strings ``region_id`` and ``text``; a CSV file has a header
    naming both columns. Further keys and columns are ignored.

    Raises:
        CheckpointError: the file is missing, of another form, or names a region twice; the
            message gives the line.
    """
    if not path.is_file():
        raise CheckpointError(f"answers file {path} does not exist; expected .jsonl or .csv")
    rows = {".jsonl": _json_lines, ".csv": _csv_rows}.get(path.suffix.lower())
    if rows is None:
        raise CheckpointError(f"answers file {path} must end in .jsonl or .csv")
    answers: dict[str, str] = {}
    for number, region_id, text in rows(path):
        if region_id in answers:
            raise CheckpointError(f"{path}, line {number}: region {region_id!r} is answered twice")
        answers[region_id] = text
    return answers


def _json_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    with path.open(encoding="utf-8", errors="strict") as file:
        for number, line in enumerate(_decoded(file, path), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise CheckpointError(f"{path}, line {number}: not JSON ({error})") from error
            yield number, *_pair(row, path, number)


def _csv_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    with path.open(encoding="utf-8-sig", errors="strict", newline="") as file:
        reader = csv.DictReader(_decoded(file, path))
        for row in reader:
            yield reader.line_num, *_pair(row, path, reader.line_num)


def _decoded(lines: Iterator[str], path: Path) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"answers file {path} is not UTF-8 ({error}); save it anew"
        ) from error


def _pair(row: object, path: Path, number: int) -> tuple[str, str]:
    if isinstance(row, dict):
        region_id, text = row.get("region_id"), row.get("text")
        if isinstance(region_id, str) and isinstance(text, str):
            return region_id, text
    raise CheckpointError(f"{path}, line {number}: needs the strings `region_id` and `text`")
