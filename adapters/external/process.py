"""One running worker: lines to its standard input, lines from its standard output, an end.

Everything is bounded: how long a line may take, how long it may be, how long an end may take.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from adapters.external.errors import WorkerError
from adapters.external.worker_log import WorkerLog

MAX_LINE_BYTES = 16 * 2**20
PATIENCE = 5.0
"""Seconds a worker has to exit by itself after its standard input was closed."""
_TERMINATION = 2.0
_LAST_WORDS = 1.0
_LOOK = 0.5
"""Seconds between two looks at whether a silent worker still lives."""
_CHUNK = 65_536


class WorkerProcess:
    """A child process in a process group of its own, so that its own children end with it.

    Its standard input is closed when this process ends in whatever way: a worker that reads it
    to the end never outlives its asker.
    """

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], log: WorkerLog
    ) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=os.environ | variables,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # a zero byte in a word is a ValueError
            raise WorkerError(
                f"{command[0]!r} cannot be started: {error}; a relative path starts in "
                f"{Path.cwd()}, other names are looked up in PATH"
            ) from error
        self._input = _pipe(self._process.stdin)
        self._output = _pipe(self._process.stdout)
        os.set_blocking(self._input.fileno(), False)
        os.set_blocking(self._output.fileno(), False)
        self._logging = log.follow(_pipe(self._process.stderr))
        self._unread = bytearray()
        self.lines = 0
        """Lines read so far."""

    def exchange(self, message: bytes, timeout: float) -> bytes:
        """Send a message and wait for the next line.

        Reading goes on while writing, so that neither side can block the other for good.

        Args:
            message: whole lines, or nothing to only wait.
            timeout: seconds for both.

        Returns:
            The line without its end.

        Raises:
            WorkerError: the worker died, took too long, or wrote a line without end.
        """
        deadline = time.monotonic() + timeout
        waiting = memoryview(message)
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if waiting:
                selector.register(self._input, selectors.EVENT_WRITE)
            while waiting or b"\n" not in self._unread:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WorkerError(f"no answer within {timeout:g} seconds")
                ready = selector.select(min(left, _LOOK))
                if not ready and self._process.poll() is not None:
                    # A child of its own may hold the output open: no end of it would be seen.
                    raise WorkerError(self._ended())
                for key, _ in ready:
                    if key.fileobj is self._output:
                        self._read()
                        continue
                    waiting = waiting[self._write(waiting) :]
                    if not waiting:
                        selector.unregister(self._input)
        line, _, self._unread = self._unread.partition(b"\n")
        self.lines += 1
        return bytes(line)

    def stop(self, patience: float) -> None:
        """End the worker and all its children: by itself, else by signals, first polite ones.

        Args:
            patience: seconds it has to end by itself; 0 kills at once.
        """
        self._input.close()
        try:
            if patience:
                self._end_politely(patience)
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._output.close()
            self._logging.join(_LAST_WORDS)

    def _read(self) -> None:
        chunk = os.read(self._output.fileno(), _CHUNK)
        if not chunk:
            raise WorkerError(self._ended())
        self._unread += chunk
        if len(self._unread) > MAX_LINE_BYTES:
            raise WorkerError(
                f"wrote more than {MAX_LINE_BYTES // 2**20} MiB to standard output where one line "
                "was expected"
            )

    def _write(self, waiting: memoryview) -> int:
        try:
            return os.write(self._input.fileno(), waiting[:_CHUNK])
        except BrokenPipeError:  # it died or stopped listening; reading tells which
            return len(waiting)

    def _ended(self) -> str:
        """How the process ended, or what else ended its standard output."""
        try:
            code = self._process.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        if code >= 0:
            return f"exited with code {code}"
        return f"was killed by signal {-code} ({signal.strsignal(-code)})"

    def _end_politely(self, patience: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
            return
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_TERMINATION)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            os.killpg(self._process.pid, number)


def _pipe(stream: IO[bytes] | None) -> BinaryIO:
    """A pipe that ``Popen`` was asked to make."""
    return cast(BinaryIO, stream)
