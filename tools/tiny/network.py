"""The tiny WOW-Seg's sizes and its weights at the start."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from adapters.language import LanguageConfig
from adapters.wow_seg.configuration import VisionConfig, WowSegConfig
from adapters.wow_seg.modeling import WowSegModel


def tiny_config(vocab_size: int) -> WowSegConfig:
    """WOW-Seg's architecture at a size one CPU core can train: 7 × 7 tokens a tile."""
    return WowSegConfig(
        vision=VisionConfig(
            hidden_size=64,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=256,
            image_size=112,
            patch_size=8,
        ),
        language=LanguageConfig(
            vocab_size=vocab_size,
            hidden_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=288,
            max_position_embeddings=4096,
            rope_theta=10_000.0,
        ),
    )


def fresh_model(config: WowSegConfig, seed: int) -> WowSegModel:
    """A model to be trained from scratch.

    The transformers library initialises for large widths and long schedules. At this size
    training is several times shorter with unit-variance layers, open layer scales, position
    embeddings that start as two-dimensional sines, and vision attention that starts by comparing
    patches (mimetic initialisation, Trockman and Kolter 2023, with their constants).
    """
    torch.manual_seed(seed)
    model = WowSegModel(config)
    for name, parameter in model.named_parameters():
        if name.endswith(("lambda_1", "lambda_2")):
            nn.init.ones_(parameter)
        elif name.endswith(("embed_tokens.weight", "cls_token")):
            nn.init.normal_(parameter, std=0.3)
        elif parameter.ndim == 2 and not name.endswith("lm_head.weight"):
            nn.init.normal_(parameter, std=0.8 / math.sqrt(parameter.shape[1]))
    side = config.vision.image_size // config.vision.patch_size
    with torch.no_grad():
        positions = model.vision_model.embeddings.position_embeddings
        positions[0, 1:] = 0.7 * _sines(side, config.vision.hidden_size)
        for layer in model.vision_model.encoder.layer:
            _compare_patches(layer.attention, config.vision.num_attention_heads)
    return model


def _sines(side: int, width: int) -> torch.Tensor:
    """Sine and cosine of both coordinates at ``width / 4`` frequencies: ``[side², width]``."""
    frequency = 50.0 ** (-torch.arange(width // 4) / (width // 4))
    coordinate = torch.arange(side) * 12 / side
    grids = torch.meshgrid(coordinate, coordinate, indexing="ij")
    y, x = (grid.reshape(-1, 1) * frequency for grid in grids)
    return torch.cat([y.sin(), y.cos(), x.sin(), x.cos()], dim=1)


def _compare_patches(attention: Any, heads: int) -> None:
    """Queries times keys near 0.7·I + noise in every head, values times projection near -0.4·I."""
    width = attention.q_proj.weight.shape[0]
    size = width // heads
    for start in range(0, width, size):
        query, key = _factors(0.7, 0.7, width, size)
        attention.q_proj.weight[start : start + size] = query.T
        attention.k_proj.weight[start : start + size] = key.T
    value, projection = _factors(0.4, -0.4, width, width)
    attention.v_proj.weight.copy_(value.T)
    attention.projection_layer.weight.copy_(projection)


def _factors(
    noise: float, identity: float, width: int, rank: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Two ``[width, rank]`` factors of noise plus a multiple of the identity."""
    target = noise * torch.randn(width, width) / math.sqrt(width) + identity * torch.eye(width)
    left, scale, right = torch.linalg.svd(target)
    root = scale[:rank].sqrt()
    return left[:, :rank] * root, right.T[:, :rank] * root
