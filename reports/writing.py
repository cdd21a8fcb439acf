"""Writing a folder of files so that only what changed is touched."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from reports.frames import ReportError

LISTING = "site-files.json"
"""What the last call wrote, so that the next one knows which files it may remove."""


def write_folder(
    folder: Path, contents: Iterable[tuple[str, bytes]], *, only: tuple[str, ...] = ("",)
) -> None:
    """Make ``folder`` hold ``contents`` (POSIX path → bytes) beside whatever else lies there.

    Every file is replaced atomically, and only when its bytes differ. ``contents`` are all files
    whose path begins with one of ``only``; others that an earlier call wrote stay.

    Raises:
        ReportError: the folder or a file in it cannot be written.
    """
    before = _listed(folder)
    written: set[str] = set()
    try:
        for path, content in contents:
            _replace(folder / path, content)
            written.add(path)
        others = {path for path in before if not path.startswith(only)}
        for path in sorted(before - written - others):
            _remove(folder, path)
        listing = json.dumps({"schema_version": 1, "files": sorted(written | others)}, indent=1)
        _replace(folder / LISTING, f"{listing}\n".encode("ascii"))
    except OSError as error:
        raise ReportError(
            f"the site cannot be written to {folder}: {error}; give a folder you may write to"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _remove(folder: Path, path: str) -> None:
    (folder / path).unlink(missing_ok=True)
    for parent in PurePosixPath(path).parents:
        here = folder / parent
        if parent.name and here.is_dir() and not any(here.iterdir()):
            here.rmdir()


def _listed(folder: Path) -> set[str]:
    try:
        found = json.loads((folder / LISTING).read_text(encoding="ascii"))
        paths = [PurePosixPath(path) for path in found["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {str(path) for path in paths if not path.is_absolute() and ".." not in path.parts}
