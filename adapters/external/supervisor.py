"""A worker that is started again when it fails, and must then still be the same model."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import NamedTuple, TypeVar

from adapters.external.errors import Malformed, OutOfStep, WorkerError
from adapters.external.handshake import Handshake, read_handshake
from adapters.external.process import PATIENCE, WorkerProcess
from adapters.external.settings import Settings
from adapters.external.worker_log import WorkerLog

Read = TypeVar("Read")

_EXCERPT_BYTES = 120


class _Started(NamedTuple):
    process: WorkerProcess
    handshake: Handshake


class Supervisor:
    """Keeps one worker running, and speaks to it one line at a time.

    Making one starts the worker; ``variables`` are added to its environment.

    Raises:
        WorkerError: the worker cannot be started, or its handshake cannot be used.
    """

    def __init__(self, settings: Settings, variables: Mapping[str, str], log: WorkerLog) -> None:
        self._settings = settings
        self._variables = variables
        self._log = log
        self._command = shlex.join(settings.command)
        self._restarts_left = settings.restarts
        self._refusal: str | None = None
        started = self._start()
        self._process: WorkerProcess | None = started.process
        self.handshake = started.handshake

    def ask(self, request: bytes, read: Callable[[bytes], Read]) -> Read:
        """Send a request and read its reply; a worker that failed before is started again.

        Raises:
            WorkerError: the worker failed, or its reply cannot be used; names the worker, and
                the line where there is one.
        """
        process = self._running()
        try:
            line = process.exchange(request, self._settings.timeout)
            return _understood(process, line, read)
        except (OutOfStep, WorkerError) as error:
            self._process = None
            process.stop(0)
            last = self._log.tail().rpartition("\n")[-1]
            told = f"; last on standard error: {last!r}" if last else ""
            raise self._error(f"{error}{told}") from error
        except Malformed as error:  # the worker is in step: only these answers are lost
            raise self._error(str(error)) from error

    def close(self) -> None:
        """End the worker; it is not started again."""
        self._refusal = "it was closed"
        if self._process is not None:
            process, self._process = self._process, None
            process.stop(PATIENCE)

    def _running(self) -> WorkerProcess:
        if self._process is None:
            if self._refusal is not None:
                raise self._error(f"not asked: {self._refusal}")
            if self._restarts_left == 0:
                raise self._error(
                    f"not asked: it failed and was started again {self._settings.restarts} times "
                    "already (setting `restarts`)"
                )
            self._restarts_left -= 1
            process, handshake = self._start()
            self._refuse_another_model(process, handshake)
            self._process = process
        return self._process

    def _start(self) -> _Started:
        self._log.begin(f"started {self._command}")
        try:
            process = WorkerProcess(self._settings.command, self._variables, self._log)
            try:
                line = process.exchange(b"", self._settings.start_timeout)
                return _Started(process, _understood(process, line, read_handshake))
            except BaseException:
                process.stop(0)
                raise
        except (Malformed, WorkerError) as error:
            tail = self._log.tail()
            told = f"; its standard error ends with:\n{tail}" if tail else ""
            raise self._error(f"no handshake: {error}{told}") from error

    def _refuse_another_model(self, process: WorkerProcess, handshake: Handshake) -> None:
        if handshake == self.handshake:
            return
        process.stop(PATIENCE)
        changed = [
            field.name
            for field in fields(Handshake)
            if getattr(handshake, field.name) != getattr(self.handshake, field.name)
        ]
        self._refusal = (
            f"after a restart it calls itself another model (changed: {', '.join(changed)}), "
            "which must not be credited with the first one's answers"
        )
        raise self._error(f"not asked: {self._refusal}")

    def _error(self, reason: str) -> WorkerError:
        return WorkerError(f"worker `{self._command}`: {reason}")


def _understood(process: WorkerProcess, line: bytes, read: Callable[[bytes], Read]) -> Read:
    """Read a line; says which one it was where it cannot be used."""
    try:
        return read(line)
    except Malformed as error:
        shown = line[:_EXCERPT_BYTES].decode("utf-8", "replace")
        more = "…" if len(line) > _EXCERPT_BYTES else ""
        kind = type(error)
        raise kind(f"line {process.lines} of its output, {shown + more!r}: {error}") from error
