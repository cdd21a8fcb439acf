"""What the site's folder holds, and from what each part of it was made.

The listing lies in the folder itself. The next build reads there which files it may remove and
which parts it need not make again, on this machine or on another that was given the folder.
Equal sites have equal listings: there is no time in them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

NAME = "site-files.json"
SCHEMA_VERSION = 2
UNFINISHED = f".{NAME}.new"
"""While a build is under way, and after one that failed: the files that it wrote, one a line."""
_json_quoted = json.JSONEncoder().encode


class Written(NamedTuple):
    """A file as it was written: how many bytes, and their SHA-256."""

    size: int
    digest: str

    @classmethod
    def of(cls, content: bytes) -> Written:
        """What ``content`` is as a file."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


class Part(NamedTuple):
    """Files made together: the digest of everything they show, and their paths."""

    made_from: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Files by path (``None``: an older listing did not say what they were), parts by name."""

    files: Mapping[str, Written | None] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The listing as a file's bytes."""
        files = (
            f"{_json_quoted(path)}: {_written(self.files[path])}" for path in sorted(self.files)
        )
        parts = (f"{_json_quoted(name)}: {_made(self.parts[name])}" for name in sorted(self.parts))
        listing = (
            f'"schema_version": {SCHEMA_VERSION}',
            f'"files": {_block("{}", files, 2)}',
            f'"parts": {_block("{}", parts, 2)}',
        )
        return f"{_block('{}', listing, 1)}\n".encode("ascii")


def _written(known: Written | None) -> str:
    if known is None:
        return "null"
    return _block("[]", (str(known.size), _json_quoted(known.digest)), 3)


def _made(part: Part) -> str:
    files = _block("[]", map(_json_quoted, part.files), 4)
    return _block("{}", (f'"made_from": {_json_quoted(part.made_from)}', f'"files": {files}'), 3)


def _block(brackets: str, items: Iterable[str], depth: int) -> str:
    """Items as JSON indented by a space a level; :mod:`json` takes many times as long for it."""
    lines = f",\n{' ' * depth}".join(items)
    return (
        f"{brackets[0]}\n{' ' * depth}{lines}\n{' ' * (depth - 1)}{brackets[1]}"
        if lines
        else brackets
    )


def read_listing(folder: Path) -> Listing:
    """The folder's listing; an empty one where there is none that can be used.

    A listing of version 1 names files alone. Paths that lead out of the folder are left out.
    """
    try:
        values = json.loads((folder / NAME).read_text(encoding="ascii"))
        return decoded(values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Listing()


def decoded(values: Mapping[str, object]) -> Listing:
    """The listing of a file's JSON values.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: they are not a listing.
    """
    listed = values["files"]
    if isinstance(listed, list):
        return Listing({path: None for path in listed if _inside(path)})
    if not isinstance(listed, dict) or not isinstance(parts := values["parts"], dict):
        raise TypeError("a listing maps files and parts")
    files = {path: _as_listed(known) for path, known in listed.items() if _inside(path)}
    return Listing(
        files,
        {
            name: Part(part["made_from"], tuple(part["files"]))
            for name, part in parts.items()
            if all(map(files.get, part["files"]))
        },
    )


def _as_listed(known: Any) -> Written | None:
    if known is None:
        return None
    size, digest = known
    if type(size) is not int or not isinstance(digest, str):
        raise TypeError("a file is listed by its size and its digest")
    return Written(size, digest)


def note(folder: Path, path: str) -> None:
    """Note that a file is about to be written, so that a build that dies leaves it known."""
    descriptor = os.open(folder / UNFINISHED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, _line(path))  # one call: lines of several processes do not mix
    finally:
        os.close(descriptor)


def note_alone(folder: Path, paths: Iterable[str]) -> None:
    """Replace what is noted by these files; where there are none, nothing is left behind."""
    lines = b"".join(map(_line, paths))
    if lines:
        fresh = folder / f"{UNFINISHED}.new"
        fresh.write_bytes(lines)
        fresh.replace(folder / UNFINISHED)
    else:
        (folder / UNFINISHED).unlink(missing_ok=True)


def noted(folder: Path) -> list[str]:
    """What a build that did not end has written, or was about to."""
    try:
        lines = (folder / UNFINISHED).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    return [path for path in map(_noted, lines) if path and _inside(path)]


def _line(path: str) -> bytes:
    return f"{json.dumps(path)}\n".encode("ascii")


def _noted(line: str) -> str:
    try:
        path = json.loads(line)
    except ValueError:
        return ""
    return path if isinstance(path, str) else ""


def _inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")
