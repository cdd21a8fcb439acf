"""A thread that stores answers while the model works on the next ones."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bench.records import AnswerRow
from bench.store import RunWriter

MAX_ROWS = 2048
MAX_SECONDS = 5.0
_WAITING_PICTURES = 64


class PartWriter:
    """Gathers rows into parts of whole pictures and writes them behind the caller's back.

    A part is written when it holds ``MAX_ROWS`` rows or its first row is ``MAX_SECONDS`` old, so
    that a kill costs seconds of work and a fast model does not leave thousands of small files.
    Leaving the context writes what is left, also after an exception.
    """

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self._queue: queue.Queue[Sequence[AnswerRow] | None] = queue.Queue(_WAITING_PICTURES)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="part-writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def put(self, rows: Sequence[AnswerRow]) -> None:
        """Hand over one picture's rows.

        Raises:
            StoreError: an earlier part could not be written.
        """
        if self._failure is not None:
            raise self._failure
        self._queue.put(rows)

    def _work(self) -> None:
        gathered: list[AnswerRow] = []
        due = 0.0
        ended = False
        while not ended:
            try:
                rows = self._queue.get(
                    timeout=max(0.0, due - time.monotonic()) if gathered else None
                )
            except queue.Empty:
                self._store(gathered)
                continue
            if rows is None:
                ended = True
            else:
                due = due if gathered else time.monotonic() + MAX_SECONDS
                gathered.extend(rows)
            if ended or len(gathered) >= MAX_ROWS:
                self._store(gathered)

    def _store(self, gathered: list[AnswerRow]) -> None:
        if gathered and self._failure is None:
            try:
                self._writer.append(gathered)
            except Exception as error:
                self._failure = error
        gathered.clear()
