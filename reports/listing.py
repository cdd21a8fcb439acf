"""What the site's folder holds, and from what each part of it was made.

The listing lies in the folder itself. The next build reads there which files it may remove and
which parts it need not make again, on this machine or on another that was given the folder.
Equal sites have equal listings: there is no time in them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

NAME = "site-files.json"
SCHEMA_VERSION = 2


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
        values = {
            "schema_version": SCHEMA_VERSION,
            "files": {path: self.files[path] for path in sorted(self.files)},
            "parts": {name: self.parts[name]._asdict() for name in sorted(self.parts)},
        }
        return f"{json.dumps(values, indent=1)}\n".encode("ascii")


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
    files = {path: Written(*known) if known else None for path, known in listed.items()}
    return Listing(
        {path: known for path, known in files.items() if _inside(path)},
        {
            name: Part(part["made_from"], tuple(part["files"]))
            for name, part in parts.items()
            if all(files.get(path) and _inside(path) for path in part["files"])
        },
    )


def _inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")
