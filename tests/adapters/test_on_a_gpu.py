"""The golden checkpoints on a CUDA device: the answers of the CPU, token for token."""

from __future__ import annotations

import pytest
import torch

from tests.adapters.golden_answers import SETTINGS, answer_alike, loaded


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", SETTINGS)
def test_answers_on_a_gpu_are_those_of_the_cpu(name: str) -> None:
    answer_alike(loaded(name, "cuda"), loaded(name, "cpu"))
