"""The same content for machines: CSV and JSON bytes, stable for equal input."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from reports.frames import ReportError
from reports.text import csv_text

SCHEMA_VERSION = 1

_QUOTE = '"'
_TO_QUOTE = re.compile(r'[",\r\n]')
_EMPTY = '""'  # the line of a single cell that is empty, which must not be blank
_NEXT = ",\n "

Cell = str | int | float | bool | None


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """RFC 4180 with a header line; numbers at full precision, absent values empty.

    Texts go through :func:`reports.text.csv_text`, so that no spreadsheet runs them.
    """
    return csv_blocks(columns, [((), rows)])


def csv_blocks(
    columns: Sequence[str],
    blocks: Iterable[tuple[Sequence[Cell], Iterable[Sequence[Cell]]]],
) -> bytes:
    """As :func:`csv_bytes`; the rows of a block begin with the same cells, made only once."""
    texts = _Texts()
    lines = [",".join(map(_csv_quoted, columns))]
    for shared, rows in blocks:
        beginning = f"{texts.line(shared)}," if shared else ""
        lines += [beginning + texts.line(row) for row in rows]
    return "".join(f"{line or _EMPTY}\r\n" for line in lines).encode("utf-8")


def _csv_quoted(text: str) -> str:
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _TO_QUOTE.search(text) else text


class _Texts(dict[str, str]):
    """Texts as they stand in the file; most of a table's stand in it many times.

    That is why lines are not left to :mod:`csv`, which looks through every text again.
    """

    def __missing__(self, text: str) -> str:
        self[text] = cell = _csv_quoted(csv_text(text))
        return cell

    def line(self, row: Sequence[Cell]) -> str:
        """The row without its line end."""
        return ",".join(
            [
                self[cell] if isinstance(cell, str) else "" if cell is None else str(cell)
                for cell in row
            ]
        )


def json_bytes(content: Mapping[str, object]) -> bytes:
    """JSON in ASCII: NULs and lone surrogates keep their value as escapes.

    An item of the second level is a line: long lists stay readable, and are quick to write.

    Raises:
        ReportError: a value is no JSON value.
    """
    marked = {"schema_version": SCHEMA_VERSION, **content}
    parts = (f"{json.dumps(name)}: {_lines(value)}" for name, value in marked.items())
    return f"{{\n {_NEXT.join(parts)}\n}}\n".encode("ascii")


def _lines(value: object) -> str:
    if isinstance(value, Mapping) and value:
        items = (f"{json.dumps(str(name))}: {_compact(item)}" for name, item in value.items())
        return f"{{\n  {f'{_NEXT} '.join(items)}\n }}"
    if isinstance(value, Sequence) and value and not isinstance(value, str):
        return f"[\n  {f'{_NEXT} '.join(map(_compact, value))}\n ]"
    return _compact(value)


def _compact(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError):  # no number, or a mapping of another kind
        return json.dumps(_plain(value), ensure_ascii=True, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise ReportError(f"{value!r} cannot be written as JSON; give frames and manifests JSON values")
