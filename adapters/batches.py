"""Prompts of equal length, a row each, decoded together behind a short prefix read once.

For models whose picture tokens differ from region to region: the rows share nothing but the
prompt's beginning, so each keeps its own keys and values, and no attention mask is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers.cache_utils import Cache

from adapters.decoding import CachedSequence, Decoded, GrowingLayer, Stopping
from adapters.interface import FinishReason
from adapters.language import LanguageModel

PREFILL_POSITIONS = 8192  # positions prefilled at a time; bounds the activations' memory


class Rows:
    """Rows that follow one prefix."""

    def __init__(self, language_model: LanguageModel, prefix: torch.Tensor) -> None:
        """Read the prefix, ``[P, hidden]``."""
        self._language_model = language_model
        self._prefix = CachedSequence(language_model)
        self._prefix.prefill(prefix)
        self._layers: list[GrowingLayer] = []

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
        self._layers = [GrowingLayer.joined(parts) for parts in zip(*read, strict=True)]
        return self._logits(torch.cat(hidden))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token, int64 ``[rows]``, to every row.

        Returns:
            Logits ``[rows, vocabulary]``.
        """
        embeddings = self._language_model.model.embed_tokens(tokens)[:, None]
        return self._logits(self._read(embeddings, self._layers)[:, 0])

    def keep(self, rows: torch.Tensor) -> None:
        """Forget all rows but these, int64 ``[kept]``."""
        for layer in self._layers:
            layer.keep(rows)

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
) -> list[Decoded]:
    """Continue all rows greedily, together, each until it stops.

    Args:
        language_model: the network.
        prefix: embeddings ``[P, hidden]`` every row begins with.
        prompts: embeddings ``[rows, L, hidden]`` that follow it.
        stopping: when an answer ends.
        repetition_penalty: divides the positive and multiplies the negative logits of tokens
            already generated (CTRL, Keskar et al. 2019, section 4.1); the prompt does not count.
    """
    answers: list[list[int]] = [[] for _ in range(len(prompts))]
    reasons = [FinishReason.LENGTH] * len(answers)
    if not answers or not stopping.limit:
        return [Decoded((), reason) for reason in reasons]
    rows = Rows(language_model, prefix)
    logits = rows.start(prompts)
    held = active = list(range(len(answers)))
    history = torch.zeros(len(answers), 0, dtype=torch.int64, device=prompts.device)
    while active:
        # In bfloat16 the penalty would round scores to ties.
        tokens = penalised(logits.float(), history, repetition_penalty).argmax(-1)
        going = _append(
            answers, reasons, dict(zip(held, tokens.tolist(), strict=True)), active, stopping
        )
        history = torch.cat([history, tokens[:, None]], dim=1)
        # Stopped rows go along until half have stopped: dropping rows copies the others.
        if going and 2 * len(going) <= len(held):
            kept = torch.tensor([held.index(index) for index in going], device=prompts.device)
            rows.keep(kept)
            tokens, history, held = tokens[kept], history[kept], going
        active = going
        if active:
            logits = rows.step(tokens)
    return [Decoded(tuple(a), reason) for a, reason in zip(answers, reasons, strict=True)]


def _append(
    answers: list[list[int]],
    reasons: list[FinishReason],
    tokens: dict[int, int],
    active: Sequence[int],
    stopping: Stopping,
) -> list[int]:
    """Add each active answer's next token; the answers that go on."""
    going = []
    for index in active:
        if tokens[index] in stopping.ids:
            reasons[index] = FinishReason.STOP
            continue
        answers[index].append(tokens[index])
        if len(answers[index]) < stopping.limit:
            going.append(index)
    return going


def penalised(logits: torch.Tensor, history: torch.Tensor, penalty: float) -> torch.Tensor:
    """Logits with those of generated tokens made less likely.

    Args:
        logits: ``[rows, vocabulary]``.
        history: int64 ``[rows, t]``, the tokens generated so far.
        penalty: 1 changes nothing.
    """
    if penalty == 1.0 or history.shape[1] == 0:
        return logits
    scores = logits.gather(1, history)
    scores = torch.where(scores < 0, scores * penalty, scores / penalty)
    return logits.scatter(1, history, scores)
