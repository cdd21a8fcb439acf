"""Baselines that look at no pixel: the floor every model must clear.

Both read a text file of labels, one a line, repeats kept (the training labels, say).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.answer_files import file_digest
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

MAJORITY = AdapterEntry(
    name="majority",
    summary="the most frequent label of a text file (checkpoint: the file), for every region",
    loader="adapters.baselines:load_majority",
    tasks=tuple(Task),
    licence="Apache-2.0",
)
RANDOM = AdapterEntry(
    name="random",
    summary="a label of a text file (checkpoint: the file), drawn for each region by its id",
    loader="adapters.baselines:load_random",
    tasks=tuple(Task),
    licence="Apache-2.0",
)


class Baseline:
    """Names a region from its id alone."""

    def __init__(self, card: AdapterCard, choose: Callable[[str], str]) -> None:
        self.card = card
        self._choose = choose

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Name every region; see :class:`adapters.interface.RegionRecognizer`."""
        return [
            [
                Answer.generated(self._choose(region_id), (), FinishReason.STOP, 0)
                for region_id in query.region_ids
            ]
            for query in queries
        ]


def load_majority(
    checkpoint: str | Path | None,
    *,
    preset: str | None,
    device: str,
    dtype: str,
    revision: str | None,
    seed: int,
    **settings: JsonScalar,
) -> Baseline:
    """The most frequent label of the file; of equally frequent ones the first in sorted order.

    Raises:
        SettingError: a preset was asked for.
        CheckpointError: the label file is not given, missing or empty.
    """
    path, labels = _labels("majority", checkpoint, preset)
    counts = Counter(labels)
    answer = min(counts, key=lambda label: (-counts[label], label))
    return Baseline(_card("majority", path, {}), lambda _: answer)


def load_random(
    checkpoint: str | Path | None,
    *,
    preset: str | None,
    device: str,
    dtype: str,
    revision: str | None,
    seed: int,
    **settings: JsonScalar,
) -> Baseline:
    """A line of the file for each region: repeats make a label more likely.

    The draw depends on the seed and the region's id alone, so it survives resuming.

    Raises:
        SettingError: a preset was asked for.
        CheckpointError: the label file is not given, missing or empty.
    """
    path, labels = _labels("random", checkpoint, preset)

    def choose(region_id: str) -> str:
        drawn = hashlib.sha256(f"{seed}\n{region_id}".encode()).digest()
        return labels[int.from_bytes(drawn[:8]) % len(labels)]

    return Baseline(_card("random", path, {"seed": seed}), choose)


def _labels(
    adapter: str, checkpoint: str | Path | None, preset: str | None
) -> tuple[Path, list[str]]:
    if preset is not None:
        raise SettingError(f"adapter {adapter!r} has no presets; give a label file as checkpoint")
    if checkpoint is None:
        raise CheckpointError(f"adapter {adapter!r} needs a text file of labels as checkpoint")
    path = Path(checkpoint)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"label file {path} cannot be read: {error}") from error
    labels = [line.strip() for line in lines if line.strip()]
    if not labels:
        raise CheckpointError(f"label file {path} is empty; write one label a line")
    return path, labels


def _card(adapter: str, path: Path, settings: dict[str, JsonScalar]) -> AdapterCard:
    return AdapterCard(
        name=adapter,
        revision=1,
        checkpoint=path.name,
        checkpoint_digest=file_digest(path),
        parameters=0,
        dtype="none",
        device="none",
        prompts=dict.fromkeys(Task, ""),
        settings=settings,
    )
