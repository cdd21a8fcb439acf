"""The golden checkpoints loaded in two ways, which are to answer alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import adapters
from adapters.interface import Generation, RegionRecognizer, Task
from bench.efficiency.asking import Question
from bench.efficiency.scenes import draw_scene

GOLDENS = Path(__file__).parents[1] / "goldens"
SETTINGS: dict[str, dict[str, Any]] = {
    "wow-seg": {"multi_instance": "shared-prefix", "max_tiles": 4},
    "osprey": {},
    "pam": {},
    "dam": {},
}


def loaded(name: str, device: str) -> RegionRecognizer:
    checkpoint = GOLDENS / name.replace("-", "_") / "checkpoint"
    return adapters.load(name, checkpoint, device=device, dtype="float32", **SETTINGS[name])


def task_of(model: RegionRecognizer) -> Task:
    """What it is best asked."""
    return Task.CATEGORY if Task.CATEGORY in model.card.prompts else Task.DESCRIPTION


def answer_alike(one: RegionRecognizer, other: RegionRecognizer) -> None:
    """Ask both about other pictures and numbers of regions each time, and once again."""
    for seed, regions, generation in (
        (0, 5, Generation(40)),
        (1, 7, Generation(70, forced_tokens=70)),
        (0, 5, Generation(40)),
        (3, 12, Generation(100)),
    ):
        question = Question("together", "natural", regions, generation.max_new_tokens, task_of(one))
        queries = question.queries(draw_scene(seed, 12, (320, 240)))
        assert one.recognize(queries, generation) == other.recognize(queries, generation)
