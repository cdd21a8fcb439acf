"""Writing files so that a crash leaves the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from pathlib import Path

from bench.errors import StoreError, StoreFull

TEMPORARY_SUFFIX = ".tmp"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to a temporary file, flush it to disk, and rename it to ``path``.

    Raises:
        StoreFull: the disk, quota or file size limit is reached; ``path`` is as it was.
        StoreError: the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise StoreFull(
                f"no room on the disk to write {path} ({error.strerror}); "
                "free some and run the same command again: everything stored before is whole"
            ) from error
        raise StoreError(f"{path} cannot be written: {error}") from error


def write_json(path: Path, value: object) -> None:
    """Write a JSON value atomically, keys in the order given, one trailing newline."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode("utf-8"))


def clear_temporaries(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for leftover in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
