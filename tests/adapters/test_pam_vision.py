"""Which mask tokens PAM reads, and how points become codes."""

from __future__ import annotations

import pytest
import torch

from adapters.pam.vision import DecodedPrompts, fourier_code
from tests.adapters import pam_goldens as golden


def decoded(inside: int, between: int, iou_scores: list[float]) -> DecodedPrompts:
    """One prompt whose first mask has pixels above both thresholds and between them."""
    logits = torch.full((1, 4, 10, 10), -1.0)
    first = logits[0, 0].flatten()
    first[:inside] = 1
    first[inside : inside + between] = 0
    logits[0, 0] = first.view(10, 10)
    tokens = torch.arange(4.0)[None, :, None].expand(1, 4, 2)
    scores = torch.tensor([iou_scores])
    return DecodedPrompts(tokens, torch.zeros(1, 1, 2), logits, scores, torch.zeros(1, 1))


@pytest.mark.parametrize(
    ("inside", "between", "stability"), [(49, 1, 0.98), (48, 2, 0.96), (0, 3, 0), (0, 0, 1)]
)
def test_a_mask_is_as_stable_as_its_area_and_an_empty_one_is_stable(
    inside: int, between: int, stability: float
) -> None:
    found = decoded(inside, between, [0, 0, 0, 0]).stability
    torch.testing.assert_close(found, torch.tensor([stability], dtype=torch.float32))


@pytest.mark.parametrize(
    ("inside", "between", "tokens"),
    [
        (49, 1, [0, 0]),  # 0.98 is stable still
        (48, 2, [2, 0]),  # the best of the other three, though the first mask's score is higher
        (0, 0, [0, 0]),
    ],
)
def test_an_unstable_first_mask_gives_way_to_the_best_of_the_others(
    inside: int, between: int, tokens: list[int]
) -> None:
    chosen = decoded(inside, between, [0.9, 0.1, 0.8, 0.3]).chosen_tokens()
    assert chosen[0, :, 0].tolist() == tokens


def test_a_point_lies_in_the_middle_of_its_pixel() -> None:
    tower = golden.golden().model.vision_tower
    encoder = tower.sam2.prompt_encoder
    with torch.inference_mode():
        (embedded,) = tower.embed_prompts(torch.tensor([[[0.0, 511.5]]]), torch.tensor([1]))
        middle = torch.tensor([[0.5 / 1024, 0.5]])
        code = fourier_code(middle, encoder.shared_embedding.positional_embedding)
        torch.testing.assert_close(embedded[:1], code + encoder.point_embed.weight[1])
