"""Greedy decoding of many rows together, each until it stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch

from adapters.decoding import Decoded, Stopping
from adapters.interface import FinishReason


class Continued(Protocol):
    """Rows that have been read and are continued together."""

    @property
    def keeping_copies(self) -> bool:
        """Whether :meth:`keep` takes time, being a copy of what is kept."""
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token, int64 ``[rows]``, to every row; logits ``[rows, vocabulary]``."""
        ...

    def keep(self, kept: torch.Tensor) -> None:
        """Forget all rows but these, int64 ``[kept]``."""
        ...


def decode_together(
    rows: Continued, logits: torch.Tensor, stopping: Stopping, repetition_penalty: float = 1.0
) -> list[Decoded]:
    """Continue all rows greedily, together, each until it stops.

    Args:
        rows: at least one.
        logits: ``[rows, vocabulary]`` of each row's first new token.
        stopping: when an answer ends; its limit is at least 1.
        repetition_penalty: divides the positive and multiplies the negative logits of tokens
            already generated (CTRL, Keskar et al. 2019, section 4.1); the prompt does not count.
    """
    answers: list[list[int]] = [[] for _ in range(len(logits))]
    reasons = [FinishReason.LENGTH] * len(answers)
    held = active = list(range(len(answers)))
    history = torch.zeros(len(answers), 0, dtype=torch.int64, device=logits.device)
    while active:
        # In bfloat16 the penalty would round scores to ties.
        tokens = penalised(logits.float(), history, repetition_penalty).argmax(-1)
        chosen = dict(zip(held, tokens.tolist(), strict=True))
        active = _append(answers, reasons, chosen, active, stopping)
        history = torch.cat([history, tokens[:, None]], dim=1)
        # Where dropping rows copies the others, stopped rows go along until half have stopped.
        fewer = len(held) // 2 if rows.keeping_copies else len(held) - 1
        if active and len(active) <= fewer:
            kept = torch.tensor([held.index(index) for index in active], device=logits.device)
            rows.keep(kept)
            tokens, history, held = tokens[kept], history[kept], active
        if active:
            logits = rows.step(tokens)
    return [Decoded(tuple(a), reason) for a, reason in zip(answers, reasons, strict=True)]


def _append(
    answers: list[list[int]],
    reasons: list[FinishReason],
    tokens: Mapping[int, int],
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
