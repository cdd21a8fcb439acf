"""Annotation files as they are published: large JSON read element by element, and JSON lines.

``json.load`` would hold a whole annotation file as Python objects, several times its size; here
only the file's text is held and one element at a time is decoded. Damage is reported with the
byte where it was met.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from suites.base import DataInvalid, DataMissing

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_TOO_DEEP = "a value is nested too deeply"


class Element(NamedTuple):
    """A top-level member of a document; a member that is an array comes element by element.

    ``key`` is the member's name, or ``""`` where the document itself is an array; ``offset``
    is where the value begins, for :meth:`JsonDocument.at`.
    """

    key: str
    offset: int
    value: Any


class JsonDocument:
    """A JSON file whose text is held and whose values are decoded when asked for."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            DataMissing: there is no such file.
            DataInvalid: the file is not UTF-8 text.
        """
        self.path = path
        self._text = _read_text(path)

    def elements(self) -> Iterator[Element]:
        """Walk the document once, front to back.

        Raises:
            DataInvalid: the file is cut off or not JSON; names the byte.
        """
        text = self._text
        start = self._blank(0)
        opening = text[start : start + 1]
        if opening == "[":
            end = yield from self._array("", start)
        elif opening == "{":
            end = yield from self._object(start)
        else:
            if opening:
                raise DataInvalid(
                    f"{self.path} begins with {text[start : start + 20]!r}, but a JSON object or "
                    "array of annotations is wanted; name another file, or correct this one"
                )
            raise self._damage(start, "an object or an array was expected")
        rest = self._blank(end)
        if rest != len(text):
            raise self._damage(rest, "the document is over, but text follows")

    def at(self, offset: int) -> Any:
        """Decode the value that begins at an element's ``offset`` once more."""
        return self._value(offset)[0]

    def _object(self, start: int) -> Generator[Element, None, int]:
        text, position, first = self._text, self._blank(start + 1), True
        while text[position : position + 1] != "}":
            if not first:
                position = self._blank(self._expect(",", position))
            first = False
            if text[position : position + 1] != '"':
                raise self._damage(position, "a key was expected")
            key, position = self._value(position)
            position = self._blank(self._expect(":", self._blank(position)))
            if text[position : position + 1] == "[":
                position = yield from self._array(str(key), position)
            else:
                value, end = self._value(position)
                yield Element(str(key), position, value)
                position = end
            position = self._blank(position)
        return position + 1

    def _array(self, key: str, start: int) -> Generator[Element, None, int]:
        text, position, first = self._text, self._blank(start + 1), True
        while text[position : position + 1] != "]":
            if not first:
                position = self._blank(self._expect(",", position))
            first = False
            value, end = self._value(position)
            yield Element(key, position, value)
            position = self._blank(end)
        return position + 1

    def _value(self, position: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._text, position)
        except json.JSONDecodeError as error:
            raise self._damage(error.pos, error.msg) from None
        except RecursionError:
            raise self._damage(position, _TOO_DEEP) from None
        except ValueError as error:  # a number too long
            raise self._damage(position, str(error)) from None

    def _expect(self, character: str, position: int) -> int:
        if self._text[position : position + 1] != character:
            raise self._damage(position, f"{character!r} was expected")
        return position + 1

    def _blank(self, position: int) -> int:
        match = _BLANK.match(self._text, position)
        return match.end() if match else position

    def _damage(self, position: int, reason: str) -> DataInvalid:
        byte = len(self._text[:position].encode())
        size = self.path.stat().st_size
        begins, ends = self._text.lstrip()[:1], self._text.rstrip()[-1:]
        if ends != {"{": "}", "[": "]"}.get(begins):
            return DataInvalid(
                f"{self.path} is cut off: it ends at byte {size} inside the value at byte {byte} "
                f"({reason}); fetch it anew"
            )
        return DataInvalid(
            f"{self.path} is not valid JSON at byte {byte} of {size}: {reason}; "
            "correct it, or fetch it anew"
        )


class Line(NamedTuple):
    """One record of a JSON-lines file: its line number, from 1, and first byte."""

    number: int
    offset: int
    value: Any


class JsonLines:
    """A file of one JSON value a line; blank lines are skipped."""

    def __init__(self, path: Path) -> None:
        """Take a file.

        Raises:
            DataMissing: there is no such file.
        """
        _require_file(path)
        self.path = path

    def lines(self) -> Iterator[Line]:
        """Decode the file front to back.

        Raises:
            DataInvalid: a line is cut off or not JSON; names the line and the byte.
        """
        offset = 0
        with self.path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    yield Line(number, offset, _decode_line(self.path, number, offset, raw))
                offset += len(raw)

    def at(self, offset: int) -> Any:
        """Decode the line that begins at a record's ``offset`` once more."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return json.loads(file.readline())


def _decode_line(path: Path, number: int, start: int, raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
        return json.loads(text)
    except json.JSONDecodeError as error:
        byte = start + len(text[: error.pos].encode())
        state = "is cut off" if not raw.endswith(b"\n") else "is not valid JSON"
        raise DataInvalid(
            f"{path}, line {number} {state} at byte {byte}: {error.msg}; fetch it anew"
        ) from None
    except UnicodeDecodeError as error:
        raise DataInvalid(
            f"{path}, line {number} is not UTF-8 text at byte {start + error.start}; fetch it anew"
        ) from None
    except (RecursionError, ValueError) as error:
        reason = _TOO_DEEP if isinstance(error, RecursionError) else str(error)
        raise DataInvalid(
            f"{path}, line {number} is not valid JSON at byte {start}: {reason}; correct it, or "
            "fetch it anew"
        ) from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex.

    Raises:
        DataMissing: there is no such file.
    """
    _require_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_text(path: Path) -> str:
    _require_file(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataInvalid(
            f"{path} is not UTF-8 text at byte {error.start}; fetch it anew"
        ) from None


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise DataMissing(f"annotation file {path} is missing; `bench data check` tells its source")
