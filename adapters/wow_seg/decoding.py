"""Greedy decoding over one growing sequence whose rows may see any subset of what came before.

All three multi-instance modes are such a sequence: one region's prompt, a prefix with many
branches, or a cascade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

from adapters.interface import FinishReason, Generation
from adapters.wow_seg.attention import additive
from adapters.wow_seg.modeling import WowSegModel

ROWS = 1024  # rows appended at a time under a mask; bounds the mask's memory


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
        """Append ``[1, heads, new, width]``; return all keys and values so far."""
        start, self.length = self.length, self.length + key_states.shape[2]
        if start == 0:
            self.lazy_initialization(key_states, value_states)
        else:
            self.keys = self._with_room(self.keys, start)
            self.values = self._with_room(self.values, start)
            self.keys[:, :, start : self.length] = key_states
            self.values[:, :, start : self.length] = value_states
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

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
    """A sequence the language model has read so far, as keys and values."""

    def __init__(self, model: WowSegModel) -> None:
        self.model = model
        layers = model.config.language.num_hidden_layers
        self._layers = [GrowingLayer() for _ in range(layers)]
        self._cache = Cache(layers=self._layers)

    def __len__(self) -> int:
        return self._layers[0].length

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        for layer in self._layers:
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
            mask = additive(allowed.to(self.model.device), self.model.dtype)[None, None]
        return self._read(embeddings, positions, mask)

    def _read(
        self, embeddings: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        output = self.model.language_model.model(
            inputs_embeds=embeddings[None],
            position_ids=positions[None].to(self.model.device),
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
        )
        hidden: torch.Tensor = output.last_hidden_state[0]
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits ``[n, vocabulary]`` of hidden states ``[n, hidden]``."""
        logits: torch.Tensor = self.model.language_model.lm_head(hidden)
        return logits

    def embed(self, token_ids: Sequence[int]) -> torch.Tensor:
        """Embeddings ``[n, hidden]`` of generated tokens."""
        ids = torch.tensor(token_ids, device=self.model.device)
        embeddings: torch.Tensor = self.model.language_model.model.embed_tokens(ids)
        return embeddings
