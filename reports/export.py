"""The same content for machines: CSV and JSON bytes, stable for equal input."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence

from reports.frames import ReportError
from reports.text import csv_text

SCHEMA_VERSION = 1

Cell = str | int | float | bool | None


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """RFC 4180 with a header line; numbers at full precision, absent values empty.

    Texts go through :func:`reports.text.csv_text`, so that no spreadsheet runs them.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_text(cell) if isinstance(cell, str) else cell for cell in row])
    return target.getvalue().encode("utf-8")


def json_bytes(content: Mapping[str, object]) -> bytes:
    """Indented JSON in ASCII: NULs and lone surrogates keep their value as escapes.

    Raises:
        ReportError: a value is no JSON value.
    """
    marked = {"schema_version": SCHEMA_VERSION, **content}
    text = json.dumps(_plain(marked), indent=1, ensure_ascii=True, allow_nan=False)
    return f"{text}\n".encode("ascii")


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
