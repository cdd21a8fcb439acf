"""Tiny decoders with random weights, prompts for them, and both ways to continue these."""

from __future__ import annotations

from functools import cache

import torch

from adapters.batches import decode_rows
from adapters.branches import Branches, decode_branches
from adapters.decoding import Decoded, Stopping
from adapters.language import LanguageConfig, LanguageModel, build_llama, build_qwen2
from adapters.stepping import Stepper

SIZES = LanguageConfig(97, 32, 2, 4, 2, 48, rope_theta=10000.0)
BUILDERS = {"qwen2": build_qwen2, "llama": build_llama}
SOME = frozenset(range(40, 50))  # tokens that end an answer
LENGTHS = (1, 4, 2, 7, 5, 3, 6)
WAYS = ("rows", "branches")


@cache
@torch.inference_mode(False)
def network(name: str) -> LanguageModel:
    torch.manual_seed(1)
    built = BUILDERS[name](SIZES).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            if parameter.dim() == 1:  # biases and norms, which begin as zeros and ones
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
        # Sharper than at initialisation, so that answers differ and no choice is nearly tied.
        built.lm_head.weight.mul_(40)
    return built


def prompts(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A shared prefix ``[5, 32]`` and the rows' own beginnings ``[rows, 7, 32]``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, 32, generator=generator), torch.randn(rows, 7, 32, generator=generator)


@torch.inference_mode()
def decode(
    way: str,
    model: LanguageModel,
    rows: int,
    stopping: Stopping,
    stepper: Stepper | None,
    penalty: float = 1,
) -> list[Decoded]:
    """Answers of ``rows`` rows, with the stepper's steps or with those that grow."""
    prefix, own = (part.to(model.device) for part in prompts(rows, seed=rows))
    if way == "rows":
        return decode_rows(model, prefix, own, stopping, penalty, stepper)
    beginnings = [own[i, : LENGTHS[i % len(LENGTHS)]] for i in range(rows)]
    return decode_branches(Branches(model, prefix, stepper), beginnings, stopping)
