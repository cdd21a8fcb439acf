"""Reading answers made elsewhere: JSON lines or CSV with ``region_id`` and ``text``."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from adapters.interface import CheckpointError
from adapters.json_text import parse_json

_COLUMNS = ("region_id", "text")
_ENCODING = "utf-8-sig"  # some programs begin a file with a byte-order mark
_LONGEST_CELL = 2**31 - 1


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_answers(path: Path) -> dict[str, str]:
    """Texts by region id from a ``.jsonl`` or ``.csv`` file.

    JSON lines hold objects with the strings ``region_id`` and ``text``; a CSV file has a header
    naming both columns. Further keys and columns are ignored.

    Raises:
        CheckpointError: the file is missing, of another form, without answers, or names a region
            twice; the message gives the line.
    """
    if not path.is_file():
        raise CheckpointError(f"answers file {path} does not exist; expected .jsonl or .csv")
    rows = {".jsonl": _json_lines, ".csv": _csv_rows}.get(path.suffix.lower())
    if rows is None:
        raise CheckpointError(f"answers file {path} must end in .jsonl or .csv")
    answers: dict[str, str] = {}
    try:
        for number, region_id, text in rows(path):
            if region_id in answers:
                raise _refused(path, number, f"region {region_id!r} is answered twice; keep one")
            answers[region_id] = text
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"answers file {path} is not UTF-8 ({error}); save it anew"
        ) from error
    except OSError as error:
        raise CheckpointError(f"answers file {path} cannot be read: {error}") from error
    if not answers:
        raise CheckpointError(f"answers file {path} holds no answer; was it written to its end?")
    return answers


def _json_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    with path.open(encoding=_ENCODING) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = parse_json(line)
            except ValueError as error:
                raise _refused(path, number, f"not JSON ({error})") from error
            values = row if isinstance(row, dict) else {}
            yield number, *_pair(path, number, values.get("region_id"), values.get("text"))


def _csv_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=_ENCODING, newline="") as file:
        # Strict: otherwise a quote that is never closed takes in all rows after it.
        reader = csv.reader(file, strict=True)
        begins = 1
        try:
            header = next(reader, [])
            region_at, text_at = (_column(path, header, name) for name in _COLUMNS)
            begins = reader.line_num + 1
            for row in reader:
                if len(row) > len(header):
                    raise _refused(
                        path,
                        begins,
                        f"{len(row)} cells under {len(header)} columns; quote texts that hold a "
                        'comma: "red, round"',
                    )
                if row:
                    yield begins, *_pair(path, begins, _cell(row, region_at), _cell(row, text_at))
                begins = reader.line_num + 1
        except csv.Error as error:
            raise _refused(
                path,
                begins,
                f"the row that begins here is not CSV ({error}); close its quotes, and double "
                "those inside of a text",
            ) from error


def _column(path: Path, header: list[str], name: str) -> int:
    if header.count(name) == 1:
        return header.index(name)
    times = "twice" if name in header else "not at all"
    raise _refused(
        path,
        1,
        f"the header must name the columns `region_id` and `text` once; it names `{name}` {times}",
    )


def _cell(row: list[str], at: int) -> str | None:
    return row[at] if at < len(row) else None


def _pair(path: Path, number: int, region_id: object, text: object) -> tuple[str, str]:
    if isinstance(region_id, str) and isinstance(text, str):
        return region_id, text
    raise _refused(path, number, "needs the strings `region_id` and `text`")


def _refused(path: Path, number: int, problem: str) -> CheckpointError:
    return CheckpointError(f"{path}, line {number}: {problem}")
