"""Reading a worker's JSON without trusting it: one object a line, every field checked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from adapters.external.errors import Malformed
from adapters.interface import suggestion

Choice = TypeVar("Choice", bound=StrEnum)

_INT32 = 2**31
_INT64 = 2**63


def read_object(line: bytes) -> dict[str, object]:
    """The JSON object a line holds.

    Raises:
        Malformed: the line is not UTF-8, not JSON, or holds something else than an object.
    """
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # JSON and Unicode errors are ValueErrors
        raise Malformed(
            f"not a JSON object in UTF-8 ({error}); only the protocol's lines may go to standard "
            "output, everything else to standard error"
        ) from error
    return mapping("the line", value)


def mapping(name: str, value: object) -> dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not a JSON object")
    return value


def check_keys(name: str, given: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse keys the protocol does not have; a misspelt one would silently be lost."""
    known = sorted(map(str, known))
    for key in given:
        if key not in known:
            raise Malformed(
                f"{name} has an unknown key {key!r}{suggestion(key, known)}; "
                f"known: {', '.join(known)}"
            )


def text(name: str, value: object) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise Malformed(f"{name} is not a string")
    return value


def storable(name: str, value: object) -> str:
    """A string that every file format can hold."""
    found = text(name, value)
    if any("\ud800" <= character <= "\udfff" for character in found):
        raise Malformed(f"{name} holds half a character (a lone surrogate)")
    return found


def label(name: str, value: object) -> str:
    """A string that names something: one printable line that is not blank."""
    found = text(name, value)
    if not found.strip() or not found.isprintable():
        raise Malformed(f"{name} must be one line of printable text, and not blank")
    return found


def count(name: str, value: object, below: int = _INT64) -> int:
    """A whole number from 0 up."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < below:
        raise Malformed(f"{name} is not a whole number from 0 to {below - 1}")
    return value


def token_count(name: str, value: object) -> int:
    """A token id, or a number of tokens: what 32 bits hold."""
    return count(name, value, _INT32)


def flag(name: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Malformed(f"{name} is neither true nor false")
    return value


def items(name: str, value: object) -> list[object]:
    """A JSON array."""
    if not isinstance(value, list):
        raise Malformed(f"{name} is not a list")
    return value


def choice(name: str, value: object, kind: type[Choice]) -> Choice:
    """One of an enumeration's values."""
    known = {member.value: member for member in kind}
    if not isinstance(value, str) or value not in known:
        raise Malformed(f"{name} is not one of {', '.join(known)}")
    return known[value]


def scalar(name: str, value: object) -> str | int | float | bool | None:
    """A string, a number, true, false or null."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Malformed(f"{name} is not a finite number")
    if isinstance(value, str):
        return storable(name, value)
    if value is None or isinstance(value, int | float):
        return value
    raise Malformed(f"{name} is not a string, a number, true, false or null")
