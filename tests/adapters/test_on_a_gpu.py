"""The golden checkpoints on a CUDA device: the answers of the CPU, token for token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import adapters
from adapters.interface import Generation, RegionRecognizer, Task
from bench.efficiency.asking import Question
from bench.efficiency.scenes import draw_scene

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

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


@pytest.mark.parametrize("name", SETTINGS)
def test_answers_on_a_gpu_are_those_of_the_cpu(name: str) -> None:
    here, there = loaded(name, "cpu"), loaded(name, "cuda")
    task = Task.DESCRIPTION if name == "dam" else Task.CATEGORY
    # One model answers about other pictures and numbers of regions each time, and once again.
    for seed, regions, generation in (
        (0, 5, Generation(40)),
        (1, 7, Generation(70, forced_tokens=70)),
        (0, 5, Generation(40)),
        (3, 12, Generation(100)),
    ):
        question = Question("together", "natural", regions, generation.max_new_tokens, task)
        queries = question.queries(draw_scene(seed, 12, (320, 240)))
        assert there.recognize(queries, generation) == here.recognize(queries, generation)
