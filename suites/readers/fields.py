"""Taking fields out of untrusted records, with messages that name the record and the key."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from adapters.interface import Box
from suites.base import DataInvalid

_PIXEL_LIMIT = 2**31


def record_at(value: object, where: str) -> Mapping[str, Any]:
    """The value as a JSON object.

    Raises:
        DataInvalid: it is something else.
    """
    if not isinstance(value, dict):
        raise DataInvalid(f"{where} is {kind_of(value)}, but an object was expected")
    return value


def text_at(record: Mapping[str, Any], key: str, where: str) -> str:
    """A text that is not blank.

    Raises:
        DataInvalid: the key is absent or holds something else; names the record and key.
    """
    value = _present(record, key, where)
    if not isinstance(value, str) or not value.strip():
        raise DataInvalid(f"{where}: {key!r} is {kind_of(value)}, but a text was expected")
    require_text(value, f"{where}: {key!r}")
    return value


def require_text(value: str, what: str) -> None:
    """See that a text can be stored and written as UTF-8.

    Raises:
        DataInvalid: it holds a NUL, or half of a surrogate pair as JSON's escapes allow.
    """
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        raise DataInvalid(
            f"{what} is {kind_of(value)}, with a character that is no text (NUL, or half of a "
            "surrogate pair); take it out"
        )


def integer_at(record: Mapping[str, Any], key: str, where: str) -> int:
    """A whole number.

    Raises:
        DataInvalid: the key is absent or holds something else; names the record and key.
    """
    value = _present(record, key, where)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise DataInvalid(f"{where}: {key!r} is {kind_of(value)}, but a whole number was expected")
    return value


def size_at(record: Mapping[str, Any], where: str) -> tuple[int, int]:
    """``(width, height)`` in pixels, both positive.

    Raises:
        DataInvalid: one is absent, not a number, not positive, or beyond any picture.
    """
    width, height = integer_at(record, "width", where), integer_at(record, "height", where)
    if width < 1 or height < 1 or width * height >= _PIXEL_LIMIT:
        raise DataInvalid(f"{where}: a picture cannot be {width}×{height} pixels")
    return width, height


def list_at(record: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """A list.

    Raises:
        DataInvalid: the key is absent or holds something else; names the record and key.
    """
    value = _present(record, key, where)
    if not isinstance(value, list):
        raise DataInvalid(f"{where}: {key!r} is {kind_of(value)}, but a list was expected")
    return value


def identifier_at(record: Mapping[str, Any], key: str, where: str, *, digits: int = 12) -> str:
    """An id as sortable text: whole numbers are padded with zeros to ``digits``.

    Raises:
        DataInvalid: the key is absent or holds neither a text nor a whole number.
    """
    value = _present(record, key, where)
    if isinstance(value, str) and value.strip():
        return text_at(record, key, where)
    return f"{integer_at(record, key, where):0{digits}d}"


def box_at(record: Mapping[str, Any], key: str, where: str) -> Box | None:
    """The annotated box (left, top, width, height), or ``None`` where there is none.

    Raises:
        DataInvalid: the key holds something else than four finite numbers.
    """
    value = record.get(key)
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 4
        or not all(isinstance(n, int | float) and abs(n) <= sys.float_info.max for n in value)
    ):
        raise DataInvalid(f"{where}: {key!r} must be four finite numbers [x, y, width, height]")
    return Box(*(float(n) for n in value))


def _present(record: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in record:
        raise DataInvalid(f"{where} has no {key!r}; it has: {', '.join(sorted(record)) or 'none'}")
    return record[key]


def kind_of(value: object) -> str:
    """A value as a message shows it: a text or a number itself, a list by its length."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
