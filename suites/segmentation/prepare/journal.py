"""A record of what is done, kept while a long preparation runs and gone when it is over."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Journal:
    """Records of finished items, one JSON line each; a half-written last line is dropped."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier call left, and go on writing."""
        self.records: dict[str, Any] = {}
        whole = 0
        if path.is_file():
            for line in path.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    name, record = json.loads(line)
                    self.records[name] = record
                    whole += len(line)
        self._path = path
        self._file = path.open("ab")
        self._file.truncate(whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, name: str, record: Any) -> None:
        """Note that an item is done."""
        self.records[name] = record
        self._file.write(json.dumps([name, record]).encode() + b"\n")
        self._file.flush()

    def discard(self) -> None:
        """Remove the journal: its records are in the final file."""
        self._path.unlink()
