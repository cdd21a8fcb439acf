"""What workers write to standard error, kept where the run is."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from adapters.interface import AdapterError

_TAIL_BYTES = 4096
_TAIL_LINES = 10
_CHUNK = 65_536


class WorkerLog:
    """Collects standard error: in a temporary file until a run's folder is known.

    A full disk costs lines of the log, never an answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tail = bytearray()
        self._kept: BinaryIO | None = None
        self._early: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the log

    def begin(self, headline: str) -> None:
        """Note that a process starts; the tail is that process's own."""
        self._write(f"--- {headline}\n".encode("utf-8", "replace"))
        with self._lock:
            self._tail.clear()

    def follow(self, stream: BinaryIO) -> threading.Thread:
        """Copy a stream to the log until it ends, in a thread."""
        thread = threading.Thread(
            target=self._copy, args=(stream,), name="worker-stderr", daemon=True
        )
        thread.start()
        return thread

    def keep(self, path: Path) -> None:
        """Append what was not kept yet, and everything from now on, to ``path``.

        Raises:
            AdapterError: the file cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("ab")
            with self._lock:
                if self._kept is not None:
                    self._kept.close()
                self._kept = file
                self._early.seek(0)
                shutil.copyfileobj(self._early, file)
                self._early.seek(0)
                self._early.truncate()
                file.flush()
        except OSError as error:
            raise AdapterError(f"the worker's log {path} cannot be written: {error}") from error

    def tail(self) -> str:
        """The last lines, or an empty string."""
        with self._lock:
            lines = self._tail.decode("utf-8", "replace").splitlines()
        return "\n".join(line for line in lines[-_TAIL_LINES:] if line.strip())

    def close(self) -> None:
        """Close the files; what is written afterwards is lost."""
        with self._lock:
            self._early.close()
            if self._kept is not None:
                self._kept.close()

    def _copy(self, stream: BinaryIO) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                self._write(chunk)

    def _write(self, chunk: bytes) -> None:
        with self._lock:
            self._tail += chunk
            del self._tail[:-_TAIL_BYTES]
            file = self._kept or self._early
            with suppress(OSError, ValueError):  # a full disk; a closed log
                file.write(chunk)
                file.flush()
