"""The repetition penalty makes what was said less likely, whatever the sign of its logit."""

from __future__ import annotations

import torch

from adapters.greedy import penalised


def test_positive_logits_are_divided_and_negative_ones_multiplied() -> None:
    logits = torch.tensor([[2.0, -2.0, 0.0, 3.0], [2.0, -2.0, 4.0, -3.0]])
    history = torch.tensor([[0, 1, 1], [3, 2, 3]])
    wanted = torch.tensor([[1.0, -4.0, 0.0, 3.0], [2.0, -2.0, 2.0, -6.0]])
    assert torch.equal(penalised(logits, history, 2.0), wanted)
