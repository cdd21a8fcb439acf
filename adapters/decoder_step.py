"""One new token for many rows, through a Llama or Qwen2 decoder with fixed key/value buffers.

Nothing here depends on how much of the buffers is filled: a step of one shape is the same sequence
of kernels every time, which a CUDA graph can replay. The attention is two batched matrix products
per layer with grouped heads, which spread a few rows over many keys better than fused kernels do;
its scores and its softmax are float32, as in those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import rms_norm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm

from adapters.language import LanguageModel

NOT_ALLOWED = torch.finfo(torch.float32).min  # -inf would give a row that sees nothing NaN


class Buffers(NamedTuple):
    """Keys and values of one layer, ``[batch, key/value heads, capacity, width]``."""

    keys: torch.Tensor
    values: torch.Tensor


def decoder_step(
    language_model: LanguageModel,
    buffers: Sequence[Buffers],
    tokens: torch.Tensor,
    positions: torch.Tensor,
    places: torch.Tensor,
    allowed: torch.Tensor,
) -> torch.Tensor:
    """Append one token to every row, and predict the next.

    Args:
        language_model: the network.
        buffers: of each layer; the new keys and values are written into them.
        tokens: int64 ``[batch, rows]``; the rows of a batch share its buffers.
        positions: int64 ``[rows]``, what the rotary embedding counts.
        places: int64 ``[rows]``, where in the buffers each row's keys and values go.
        allowed: bool ``[rows, capacity]``, true where a row may attend; its own place included.

    Returns:
        Logits ``[batch, rows, vocabulary]``.
    """
    decoder = language_model.model
    hidden = decoder.embed_tokens(tokens)
    turn = _Rotation.at(decoder.rotary_emb, hidden, positions)
    bias = torch.where(allowed, 0.0, NOT_ALLOWED)
    for layer, (keys, values) in zip(decoder.layers, buffers, strict=True):
        attention = layer.self_attn
        read = _normalised(layer.input_layernorm, hidden)
        heads = (*read.shape[:-1], -1, attention.head_dim)
        queries = turn(attention.q_proj(read).view(heads))
        new_keys = turn(attention.k_proj(read).view(heads))
        new_values = attention.v_proj(read).view(heads)
        keys.index_copy_(2, places, new_keys.transpose(1, 2))
        values.index_copy_(2, places, new_values.transpose(1, 2))
        attended = grouped_attention(queries, keys, values, bias, attention.scaling)
        hidden = hidden + attention.o_proj(attended)
        hidden = hidden + layer.mlp(_normalised(layer.post_attention_layernorm, hidden))
    logits: torch.Tensor = language_model.lm_head(_normalised(decoder.norm, hidden))
    return logits


def grouped_attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bias: torch.Tensor,
    scale: float,
) -> torch.Tensor:
    """Attention in which several query heads share a key/value head, none of which is repeated.

    Args:
        queries: ``[batch, rows, heads, width]``.
        keys: ``[batch, key/value heads, capacity, width]``.
        values: the same shape.
        bias: float32 ``[rows, capacity]``, added to the scaled scores.
        scale: of the scores.

    Returns:
        ``[batch, rows, heads * width]``.
    """
    batch, rows, heads, width = queries.shape
    shared, capacity = keys.shape[1:3]
    group = heads // shared
    grouped = queries.view(batch, rows, shared, group, width).permute(0, 2, 3, 1, 4)
    grouped = grouped.reshape(batch * shared, group * rows, width)
    scores = _scores(
        bias.repeat(group, 1).expand(batch * shared, -1, -1),
        grouped,
        keys.view(batch * shared, capacity, width).transpose(1, 2),
        scale,
    )
    weights = scores.softmax(-1).to(values.dtype)
    attended = weights @ values.view(batch * shared, capacity, width)
    attended = attended.view(batch, shared, group, rows, width).permute(0, 3, 1, 2, 4)
    return attended.reshape(batch, rows, heads * width)


def _scores(
    bias: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor, scale: float
) -> torch.Tensor:
    """``bias + scale * queries @ keys`` in float32, also of narrower numbers."""
    if queries.dtype is torch.float32:
        return torch.baddbmm(bias, queries, keys, alpha=scale)
    return torch.baddbmm(bias, queries, keys, alpha=scale, out_dtype=torch.float32)


class _Rotation(NamedTuple):
    """The rotary embedding at some positions; cosines and sines ``[1, rows, 1, width]``.

    The sines of the first half have their signs turned, so that rotating is rolling.
    """

    cosines: torch.Tensor
    sines: torch.Tensor

    @classmethod
    def at(cls, rotary: nn.Module, hidden: torch.Tensor, positions: torch.Tensor) -> _Rotation:
        cosines, sines = rotary(hidden, positions[None])
        first, second = sines.chunk(2, dim=-1)
        return cls(cosines[:, :, None], torch.cat([-first, second], dim=-1)[:, :, None])

    def __call__(self, heads: torch.Tensor) -> torch.Tensor:
        rolled = heads.roll(heads.shape[-1] // 2, dims=-1)
        return torch.addcmul(heads * self.cosines, rolled, self.sines)


def _normalised(norm: LlamaRMSNorm | Qwen2RMSNorm, hidden: torch.Tensor) -> torch.Tensor:
    weight = norm.weight
    return rms_norm(hidden, weight.shape, weight, norm.variance_epsilon)
