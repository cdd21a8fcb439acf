"""Tiny decoders with random weights, and prompts for them."""

from __future__ import annotations

from functools import cache

import torch

from adapters.language import LanguageConfig, LanguageModel, build_llama, build_qwen2

SIZES = LanguageConfig(97, 32, 2, 4, 2, 48, rope_theta=10000.0)
BUILDERS = {"qwen2": build_qwen2, "llama": build_llama}


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
