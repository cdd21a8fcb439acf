"""One digest for thousands of label maps, not read again while they are unchanged on disk."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from suites.base import DataMissing
from suites.readers.json_files import file_digest


def files_digest(files: Sequence[Path], cache: Path) -> str:
    """Hex SHA-256 of the files' bytes, in the order given, wherever they lie.

    It is kept in ``cache`` under the files' paths, sizes and times of change: a set of some
    thousand 16-bit maps holds gigabytes.

    Raises:
        DataMissing: one of the files is not there.
    """
    note = cache / "digests" / _stamp(files)
    if note.is_file():
        return note.read_text(encoding="ascii")
    digest = hashlib.sha256()
    for path in files:
        digest.update(bytes.fromhex(file_digest(path)))
    note.parent.mkdir(parents=True, exist_ok=True)
    aside = note.with_name(f".{uuid.uuid4().hex}")
    aside.write_text(digest.hexdigest(), encoding="ascii")
    aside.replace(note)
    return digest.hexdigest()


def _stamp(files: Sequence[Path]) -> str:
    stamp = hashlib.sha256()
    for path in files:
        try:
            status = path.stat()
        except FileNotFoundError:
            raise DataMissing(
                f"file {path} is missing; `bench data check` tells its source"
            ) from None
        stamp.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return stamp.hexdigest()
