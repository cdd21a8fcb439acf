"""The golden checkpoints on a CUDA device: the answers of the CPU, token for token."""

from __future__ import annotations

import pytest
import torch

import adapters
from adapters.interface import Generation
from bench.efficiency.asking import Question
from bench.efficiency.scenes import draw_scene
from tests.adapters.golden_answers import SETTINGS, answer_alike, loaded, task_of

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("name", SETTINGS)
def test_answers_on_a_gpu_are_those_of_the_cpu(name: str) -> None:
    answer_alike(loaded(name, "cuda"), loaded(name, "cpu"))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_picture_asked_again_is_answered_alike_in_bfloat16(name: str) -> None:
    model = adapters.load(name, preset="mid", device="cuda", dtype="bfloat16")
    for regions in (1, 2, 5):
        question = Question("together", "forced", regions, 32, task_of(model))
        queries = question.queries(draw_scene(0, 5, (320, 240)))
        answers = [model.recognize(queries, Generation(32, 32)) for _ in range(5)]
        assert all(again == answers[0] for again in answers)
