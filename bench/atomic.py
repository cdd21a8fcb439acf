"""Writing files so that a crash leaves the old file or the new one, never half of one."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from bench.errors import NO_ROOM, StoreError, StoreFull

TEMPORARY_SUFFIX = ".tmp"
_DAY = 86_400.0  # seconds; no file takes so long to write


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to a temporary file, flush it to disk, and rename it to ``path``.

    Several processes may write the same path: it is then one's file or the other's.

    Raises:
        StoreFull: the disk, quota or file size limit is reached; ``path`` is as it was.
        StoreError: the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{_owner(os.getpid())}{TEMPORARY_SUFFIX}")
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
        if error.errno in NO_ROOM:
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
    """Remove what a killed process left half written; no other process may write to the folder."""
    for leftover in _temporaries(folder):
        leftover.unlink(missing_ok=True)


def clear_abandoned(folder: Path) -> None:
    """Remove what killed processes left half written, where others may be writing.

    A file of a process that runs, or of another machine's, is left alone for a day.
    """
    for leftover in _temporaries(folder):
        with suppress(OSError):  # its process has just renamed it, or another user owns it
            if _is_abandoned(leftover):
                leftover.unlink()


def _temporaries(folder: Path) -> Iterator[Path]:
    return folder.glob(f".*{TEMPORARY_SUFFIX}")


def _owner(process: int) -> str:
    """The end of a temporary file's name; a folder may be shared by machines."""
    return f"{_machine()}.{process}"


@cache
def _machine() -> str:
    """This machine since it was started; many are called alike."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:  # not Linux
        started = ""
    return f"{socket.gethostname()}.{started}"


def _is_abandoned(temporary: Path) -> bool:
    if time.time() - temporary.stat().st_mtime > _DAY:
        return True
    name = temporary.name.removesuffix(TEMPORARY_SUFFIX)
    number = name.rpartition(".")[2]
    here = number.isdecimal() and name.endswith(f".{_owner(int(number))}")
    return here and not _runs(int(number))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # somebody else's; no number of a process
        return True
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
