"""Prompts of equal length, a row each, decoded together behind a short prefix read once.

For models whose picture tokens differ from region to region: the rows share nothing but the
prompt's beginning, so each keeps its own keys and values, and no attention mask is needed.
"""

from __future__ import annotations

import torch
from transformers.cache_utils import Cache

from adapters.decoding import CachedSequence, Decoded, GrowingLayer, Stopping
from adapters.greedy import decode_together
from adapters.interface import FinishReason
from adapters.language import LanguageModel
from adapters.stepping import SHARED, Continuation, Stepper

PREFILL_POSITIONS = 8192  # positions prefilled at a time; bounds the activations' memory


class Rows:
    """Rows that follow one prefix."""

    def __init__(
        self, language_model: LanguageModel, prefix: torch.Tensor, stepper: Stepper | None = None
    ) -> None:
        """Read the prefix, ``[P, hidden]``.

        Args:
            language_model: the network.
            prefix: what every row begins with.
            stepper: of the network, to take the steps with.
        """
        self._language_model = language_model
        self._stepper = stepper
        self._prefix = CachedSequence(language_model)
        self._prefix.prefill(prefix)
        self._layers: list[GrowingLayer] = []
        self._parts: list[list[GrowingLayer]] = []
        self._continued: Continuation | None = None

    @property
    def keeping_copies(self) -> bool:
        """Always: each row has keys and values of its own."""
        return True

    def start(self, prompts: torch.Tensor) -> torch.Tensor:
        """Read the rows' own beginnings.

        Args:
            prompts: embeddings ``[rows, L, hidden]``, following the prefix.

        Returns:
            Logits ``[rows, vocabulary]`` of each row's first new token.
        """
        rows = max(1, PREFILL_POSITIONS // prompts.shape[1])
        groups = [prompts[i : i + rows] for i in range(0, len(prompts), rows)]
        read = [self._prefix.layers_for(len(group)) for group in groups]
        hidden = [
            self._read(group, layers)[:, -1] for group, layers in zip(groups, read, strict=True)
        ]
        self._continued = None
        if self._stepper is None:
            self._layers = [GrowingLayer.joined(parts) for parts in zip(*read, strict=True)]
        else:
            self._parts = read
        return self._logits(torch.cat(hidden))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token, int64 ``[rows]``, to every row.

        Returns:
            Logits ``[rows, vocabulary]``.
        """
        if self._stepper is not None:
            return self._continue(self._stepper).step(tokens)
        embeddings = self._language_model.model.embed_tokens(tokens)[:, None]
        return self._logits(self._read(embeddings, self._layers)[:, 0])

    def keep(self, kept: torch.Tensor) -> None:
        """Forget all rows but these, int64 ``[kept]``."""
        if self._stepper is not None:
            self._continue(self._stepper).keep(kept)
        for layer in self._layers:
            layer.keep(kept)

    def _continue(self, stepper: Stepper) -> Continuation:
        """The continuation, begun when it is first needed: many answers are one token long."""
        if self._continued is None:
            device, length = self._parts[0][0].keys.device, self._parts[0][0].length
            owners = torch.full((length,), SHARED, device=device)
            positions = torch.tensor([length], device=device)
            self._continued = stepper.begin(self._parts, owners, positions)
            self._parts = []
        return self._continued

    def _read(self, embeddings: torch.Tensor, layers: list[GrowingLayer]) -> torch.Tensor:
        start = layers[0].length
        positions = torch.arange(start, start + embeddings.shape[1], device=embeddings.device)
        hidden: torch.Tensor = self._language_model.model(
            inputs_embeds=embeddings,
            position_ids=positions[None],
            past_key_values=Cache(layers=layers),
            use_cache=True,
        ).last_hidden_state
        return hidden

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._language_model.lm_head(hidden)
        return logits


def decode_rows(
    language_model: LanguageModel,
    prefix: torch.Tensor,
    prompts: torch.Tensor,
    stopping: Stopping,
    repetition_penalty: float = 1.0,
    stepper: Stepper | None = None,
) -> list[Decoded]:
    """Continue all rows greedily, together, each until it stops.

    Args:
        language_model: the network.
        prefix: embeddings ``[P, hidden]`` every row begins with.
        prompts: embeddings ``[rows, L, hidden]`` that follow it.
        stopping: when an answer ends.
        repetition_penalty: see :func:`adapters.greedy.decode_together`.
        stepper: of the network, to take the steps with.
    """
    if not len(prompts) or not stopping.limit:
        return [Decoded((), FinishReason.LENGTH)] * len(prompts)
    rows = Rows(language_model, prefix, stepper)
    return decode_together(rows, rows.start(prompts), stopping, repetition_penalty)
