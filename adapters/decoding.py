"""Greedy decoding over one growing sequence whose rows may see any subset of what came before.

One region's prompt, a prefix with many branches and a cascade are all such a sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

from adapters.interface import FinishReason, Generation
from adapters.language import LanguageModel

ROWS = 1024  # rows appended at a time under a mask; bounds the mask's memory


def additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Turn a boolean mask into what transformers adds to attention scores: 0 or the minimum.

    The minimum rather than -inf: a row that may see nothing would give NaN.
    """
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)


class Decoded(NamedTuple):
    """Generated ids, without the token that ended them."""

    token_ids: tuple[int, ...]
    finish_reason: FinishReason


class Stopping(NamedTuple):
    """When an answer ends: at one of ``ids``, or after ``limit`` tokens."""

    ids: frozenset[int]
    limit: int

    @classmethod
    def of(cls, generation: Generation, *ids: int) -> Stopping:
        """The rule for ``generation``; forced answers ignore ``ids``."""
        if generation.forced_tokens is not None:
            return cls(frozenset(), generation.forced_tokens)
        return cls(frozenset(ids), generation.max_new_tokens)


class GrowingLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers is not typed
    """Keys and values of one layer, in buffers with room to spare.

    Appending a token copies that token only, where transformers' dynamic cache copies everything.
    """

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take the first keys and values as the buffers."""
        self.keys, self.values = key_states, value_states
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append ``[batch, heads, new, width]``; return all keys and values so far."""
        start, self.length = self.length, self.length + key_states.shape[2]
        if start == 0:
            self.lazy_initialization(key_states, value_states)
        else:
            self.keys = self._with_room(self.keys, start)
            self.values = self._with_room(self.values, start)
            self.keys[:, :, start : self.length] = key_states
            self.values[:, :, start : self.length] = value_states
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    @classmethod
    def holding(cls, keys: torch.Tensor, values: torch.Tensor) -> GrowingLayer:
        """A layer with these keys and values, ``[batch, heads, length, width]``; none is copied."""
        layer = cls()
        layer.lazy_initialization(keys, values)
        layer.length = keys.shape[2]
        return layer

    @classmethod
    def joined(cls, layers: Sequence[GrowingLayer]) -> GrowingLayer:
        """The rows of several layers of equal length in one; the layers give up their own."""
        keys = [layer.keys[:, :, : layer.length] for layer in layers]
        values = [layer.values[:, :, : layer.length] for layer in layers]
        whole = cls.holding(torch.cat(keys), torch.cat(values))
        for layer in layers:
            del layer.keys, layer.values
        return whole

    def keep(self, rows: torch.Tensor) -> None:
        """Forget all rows of the batch but these, int64 ``[kept]``."""
        self.keys, self.values = self.keys[rows], self.values[rows]

    def _with_room(self, buffer: torch.Tensor, used: int) -> torch.Tensor:
        batch, heads, capacity, width = buffer.shape
        if self.length <= capacity:
            return buffer
        larger = buffer.new_empty(batch, heads, self.length + self.length // 4, width)
        larger[:, :, :used] = buffer[:, :, :used]
        return larger

    def get_seq_length(self) -> int:
        """Positions held."""
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Key length and offset once ``query_length`` positions are appended."""
        return self.length + query_length, 0

    def get_max_length(self) -> int:
        """No limit."""
        return -1


class CachedSequence:
    """A sequence the language model has read so far, as the keys and values of its ``layers``."""

    def __init__(self, language_model: LanguageModel) -> None:
        self._language_model = language_model
        layers = language_model.config.num_hidden_layers
        self.layers = [GrowingLayer() for _ in range(layers)]
        self._cache = Cache(layers=self.layers)

    def __len__(self) -> int:
        return self.layers[0].length

    def layers_for(self, rows: int) -> list[GrowingLayer]:
        """Layers of a batch in which each of ``rows`` rows begins with this sequence."""
        held = len(self)
        return [
            GrowingLayer.holding(
                layer.keys[:, :, :held].expand(rows, -1, -1, -1),
                layer.values[:, :, :held].expand(rows, -1, -1, -1),
            )
            for layer in self.layers
        ]

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        for layer in self.layers:
            layer.length = length

    def prefill(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Read the sequence's beginning, causally.

        Args:
            embeddings: ``[N, hidden]``.

        Returns:
            Hidden states ``[N, hidden]``.
        """
        return self._read(embeddings, torch.arange(len(embeddings)), None)

    def append(
        self,
        embeddings: torch.Tensor,
        positions: torch.Tensor,
        allowed: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Read further rows.

        Args:
            embeddings: ``[n, hidden]``.
            positions: int64 ``[n]``, what the rotary embedding counts.
            allowed: bool ``[n, length + n]``, true where the row may attend to the column; may
                only be ``None``, everything, for a single row.

        Returns:
            Hidden states ``[n, hidden]``.
        """
        mask = None
        if allowed is not None:
            mask = additive(allowed.to(embeddings.device), embeddings.dtype)[None, None]
        return self._read(embeddings, positions, mask)

    def _read(
        self, embeddings: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        output = self._language_model.model(
            inputs_embeds=embeddings[None],
            position_ids=positions[None].to(embeddings.device),
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
        )
        hidden: torch.Tensor = output.last_hidden_state[0]
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits ``[n, vocabulary]`` of hidden states ``[n, hidden]``."""
        logits: torch.Tensor = self._language_model.lm_head(hidden)
        return logits

    def embed(self, token_ids: Sequence[int] | torch.Tensor) -> torch.Tensor:
        """Embeddings ``[n, hidden]`` of generated tokens."""
        table = self._language_model.model.embed_tokens
        embeddings: torch.Tensor = table(torch.as_tensor(token_ids, device=table.weight.device))
        return embeddings
