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
from torch.nn.functional import linear, rms_norm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm

from adapters.language import LanguageModel

NOT_ALLOWED = torch.finfo(torch.float32).min  # -inf would give a row that sees nothing NaN


class Buffers(NamedTuple):
    """Keys and values of one layer, ``[batch, key/value heads, capacity, width]``."""

    keys: torch.Tensor
    values: torch.Tensor


class FusedLinear(NamedTuple):
    """Several linear layers of one input as one: fewer kernels, and larger ones."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    @classmethod
    def of(cls, *layers: nn.Linear) -> FusedLinear:
        """Put the layers' weights and biases behind each other; theirs become views of them."""
        biased = layers[0].bias is not None
        # Weights that can be trained stay so, whatever mode is on.
        with torch.inference_mode(layers[0].weight.is_inference()):
            weight = _behind_each_other([layer.weight for layer in layers])
            bias = _behind_each_other([layer.bias for layer in layers]) if biased else None
        return cls(weight, bias)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """All layers' outputs, behind each other."""
        return linear(features, self.weight, self.bias)


@torch.no_grad()
def _behind_each_other(parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    joined = torch.cat(list(parameters))
    parts = joined.split_with_sizes([len(parameter) for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.data = part
    return joined


class FusedDecoder:
    """A decoder ready for :meth:`step`; it stays the same network, and is not copied.

    ``heads`` are its key/value heads, each ``width`` numbers wide.
    """

    def __init__(self, language_model: LanguageModel) -> None:
        self._language_model = language_model
        self.heads: int = language_model.config.num_key_value_heads
        self.width: int = language_model.model.layers[0].self_attn.head_dim
        attentions = [layer.self_attn for layer in language_model.model.layers]
        mlps = [layer.mlp for layer in language_model.model.layers]
        self._projections = [FusedLinear.of(a.q_proj, a.k_proj, a.v_proj) for a in attentions]
        self._expansions = [FusedLinear.of(mlp.gate_proj, mlp.up_proj) for mlp in mlps]

    def step(
        self,
        buffers: Sequence[Buffers],
        tokens: torch.Tensor,
        positions: torch.Tensor,
        places: torch.Tensor,
        allowed: torch.Tensor,
    ) -> torch.Tensor:
        """Append one token to every row, and predict the next.

        Args:
            buffers: of each layer; the new keys and values are written into them.
            tokens: int64 ``[batch, rows]``; the rows of a batch share its buffers.
            positions: int64 ``[rows]``, what the rotary embedding counts.
            places: int64 ``[rows]``, where in the buffers each row's keys and values go.
            allowed: bool ``[rows, capacity]``, true where a row may attend; its own place included.

        Returns:
            Logits ``[batch, rows, vocabulary]``.
        """
        decoder = self._language_model.model
        hidden = decoder.embed_tokens(tokens)
        turned = _Rotation.at(decoder.rotary_emb, hidden, positions)
        group = self._language_model.config.num_attention_heads // self.heads
        bias = torch.zeros(allowed.shape, dtype=torch.float32, device=allowed.device)
        bias = bias.masked_fill_(~allowed, NOT_ALLOWED).repeat(group, 1)
        for layer, project, expand, (keys, values) in zip(
            decoder.layers, self._projections, self._expansions, buffers, strict=True
        ):
            attention = layer.self_attn
            read = project(_normalised(layer.input_layernorm, hidden))
            parts = read.view(*tokens.shape, -1, self.width)
            turning, new_values = parts.tensor_split([-self.heads], dim=2)
            queries, new_keys = turned(turning).tensor_split([-self.heads], dim=2)
            keys.index_copy_(2, places, new_keys.transpose(1, 2))
            values.index_copy_(2, places, new_values.transpose(1, 2))
            attended = grouped_attention(queries, keys, values, bias, attention.scaling)
            hidden = hidden + attention.o_proj(attended)
            gate, up = expand(_normalised(layer.post_attention_layernorm, hidden)).chunk(2, -1)
            hidden = hidden + layer.mlp.down_proj(layer.mlp.act_fn(gate) * up)
        logits: torch.Tensor = self._language_model.lm_head(_normalised(decoder.norm, hidden))
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
        bias: float32 ``[group * rows, capacity]``, added to the scaled scores; the rows of all
            first heads of the groups, then those of all second heads, and so on.
        scale: of the scores.

    Returns:
        ``[batch, rows, heads * width]``.
    """
    batch, rows, heads, width = queries.shape
    shared, capacity = keys.shape[1:3]
    group = heads // shared
    grouped = queries.reshape(batch, rows, shared, group, width).permute(0, 2, 3, 1, 4)
    grouped = grouped.reshape(batch * shared, group * rows, width)
    scores = _scores(
        bias.expand(batch * shared, -1, -1),
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
    if queries.is_cuda and queries.dtype is not torch.float32:
        return torch.baddbmm(bias, queries, keys, alpha=scale, out_dtype=torch.float32)
    return torch.baddbmm(bias, queries.float(), keys.float(), alpha=scale)


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
