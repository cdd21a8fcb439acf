"""A worker process behind the region-recognition interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from adapters.external.errors import WorkerError
from adapters.external.messages import read_reply, request_line
from adapters.external.pictures import PictureFiles
from adapters.external.settings import Settings
from adapters.external.supervisor import Supervisor
from adapters.external.worker_log import WorkerLog
from adapters.interface import (
    Answer,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    UnsupportedTask,
)
from adapters.regions import read_mask

REQUEST_REGIONS = 64  # of a picture, asked in one request


class ExternalRecognizer:
    """A model in a process of its own, asked one picture at a time."""

    def __init__(self, supervisor: Supervisor, log: WorkerLog) -> None:
        self.card = supervisor.handshake.card()
        self._supervisor = supervisor
        self._log = log
        self._pictures = PictureFiles()
        self._requests = 0

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query; see :class:`~adapters.interface.RegionRecognizer`.

        A failure of the worker makes errors of the regions it was asked about, no others.

        Raises:
            UnsupportedTask: the worker's handshake has no prompt for a query's task.
        """
        prompts = [self._prompt(query) for query in queries]
        return [
            self._answers(query, prompt, generation)
            for query, prompt in zip(queries, prompts, strict=True)
        ]

    def log_to(self, path: Path) -> None:
        """Keep the worker's standard error; see :class:`adapters.lifecycle.KeepsLog`."""
        self._log.keep(path)

    def close(self) -> None:
        """End the worker; see :class:`adapters.lifecycle.Closes`."""
        try:
            self._supervisor.close()
        finally:
            self._pictures.close()
            self._log.close()

    def _prompt(self, query: RegionQuery) -> str:
        if query.task not in self.card.prompts:
            raise UnsupportedTask(
                f"{self.card.checkpoint} (external) has no prompt for {query.task.value!r}; "
                "its worker's handshake names the tasks it knows under `prompts`"
            )
        return self.card.prompts[query.task]

    def _answers(self, query: RegionQuery, prompt: str, generation: Generation) -> list[Answer]:
        refused = {
            index: answer
            for index in range(len(query.masks))
            if isinstance(answer := read_mask(query, index), Answer)
        }
        asked = [index for index in range(len(query.masks)) if index not in refused]
        # A picture can have hundreds; the time limit is of a request.
        size = len(asked) if self.card.context_dependent else REQUEST_REGIONS
        chunks = [asked[i : i + size] for i in range(0, len(asked), size)] if asked else []
        given = [
            answer
            for chunk in chunks
            for answer in self._ask(_part(query, chunk), prompt, generation)
        ]
        answers = refused | dict(zip(asked, given, strict=True))
        return [answers[index] for index in range(len(query.masks))]

    def _ask(self, query: RegionQuery, prompt: str, generation: Generation) -> list[Answer]:
        self._requests += 1
        number, regions = self._requests, len(query.masks)
        try:
            with self._pictures.file(query, number) as picture:
                request = request_line(number, picture, query, prompt, generation)
                return self._supervisor.ask(
                    request, partial(read_reply, number=number, regions=regions)
                )
        except WorkerError as error:
            return [Answer.errored(f"image {query.image_id!r}: {error}")] * regions


def _part(query: RegionQuery, indices: Sequence[int]) -> RegionQuery:
    """The question about some of the regions."""
    return replace(
        query,
        masks=[query.masks[i] for i in indices],
        boxes=None if query.boxes is None else [query.boxes[i] for i in indices],
        region_ids=[query.region_ids[i] for i in indices],
    )


def load(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> ExternalRecognizer:
    """Start a worker and hear what it is; see :func:`adapters.load`.

    Everything but the settings reaches the worker as environment variables.

    Raises:
        SettingError: a setting cannot be used, or a preset was asked for.
        WorkerError: the worker cannot be started, or its handshake cannot be used.
    """
    if preset is not None:
        raise SettingError("adapter 'external' has no presets; its command says what runs")
    chosen = Settings.read(settings)
    given = {
        "CHECKPOINT": checkpoint,
        "DEVICE": device,
        "DTYPE": dtype,
        "REVISION": revision,
        "SEED": seed,
    }
    variables = {f"REGIONBENCH_{k}": str(value) for k, value in given.items() if value is not None}
    # Lines of a Python worker that forgets to flush would otherwise wait in its buffer for ever.
    variables["PYTHONUNBUFFERED"] = "1"
    log = WorkerLog()
    try:
        return ExternalRecognizer(Supervisor(chosen, variables, log), log)
    except BaseException:
        log.close()
        raise
