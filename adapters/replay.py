"""Answers from a file instead of a model: scores what was produced elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.answer_files import file_digest, read_answers
from adapters.interface import (
    AdapterCard,
    Answer,
    CheckpointError,
    FinishReason,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    Task,
)
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="replay",
    summary="answers of a .jsonl or .csv file of region_id and text (checkpoint: the file)",
    loader="adapters.replay:load",
    tasks=tuple(Task),
    licence="Apache-2.0",
)


class Replay:
    """Repeats stored answers; a region the file lacks is errored, never guessed."""

    def __init__(self, path: Path) -> None:
        self._answers = read_answers(path)
        self._name = path.name
        self.card = AdapterCard(
            name="replay",
            revision=1,
            checkpoint=path.name,
            checkpoint_digest=file_digest(path),
            parameters=0,
            dtype="none",
            device="none",
            prompts=dict.fromkeys(Task, ""),
        )

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Look every region up; see :class:`adapters.interface.RegionRecognizer`."""
        return [[self._answer(region_id) for region_id in query.region_ids] for query in queries]

    def _answer(self, region_id: str) -> Answer:
        text = self._answers.get(region_id)
        if text is None:
            return Answer.errored(f"{self._name} holds no answer for region {region_id!r}")
        return Answer.generated(text, (), FinishReason.STOP, 0)


def load(
    checkpoint: str | Path | None,
    *,
    preset: str | None,
    device: str,
    dtype: str,
    revision: str | None,
    seed: int,
    **settings: JsonScalar,
) -> Replay:
    """Open an answers file given as the checkpoint.

    Raises:
        SettingError: a preset was asked for.
        CheckpointError: no file was given, or it cannot be read.
    """
    if preset is not None:
        raise SettingError("adapter 'replay' has no presets; give the answers file as checkpoint")
    if checkpoint is None:
        raise CheckpointError("adapter 'replay' needs its answers file as checkpoint")
    return Replay(Path(checkpoint))
