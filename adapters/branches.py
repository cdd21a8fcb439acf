"""Branches of one prefix, packed behind it in a single sequence.

A row sees the prefix and its own branch, at the positions it would have alone: nothing of the
prefix is copied per branch, and what is computed is what each branch alone would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from adapters.decoding import ROWS, CachedSequence, Decoded, Stopping
from adapters.interface import FinishReason
from adapters.language import LanguageModel


class Branches:
    """Branches packed behind a prefix that has been read."""

    def __init__(self, language_model: LanguageModel, prefix: torch.Tensor) -> None:
        """Read the prefix, ``[P, hidden]``."""
        self._sequence = CachedSequence(language_model)
        self._sequence.prefill(prefix)
        self._prefix = len(prefix)
        # The branch of every packed position, int64 [packed].
        self._owners = torch.zeros(0, dtype=torch.int64, device=prefix.device)

    def start(self, branches: Sequence[torch.Tensor]) -> torch.Tensor:
        """Read the beginnings of new branches, forgetting any earlier ones.

        Args:
            branches: embeddings ``[L_i, hidden]``, following the prefix.

        Returns:
            Logits ``[branches, vocabulary]`` of each branch's first new token.
        """
        self._sequence.truncate(self._prefix)
        self._owners = self._owners[:0]
        last = []
        for first, group in _groups(branches):
            lengths = torch.tensor([len(branch) for branch in group])
            owners = torch.arange(first, first + len(group)).repeat_interleave(lengths)
            positions = torch.cat([torch.arange(len(branch)) for branch in group])
            hidden = self._append(torch.cat(list(group)), owners, positions)
            last.append(hidden[(lengths.cumsum(0) - 1).to(hidden.device)])
        return self._sequence.logits(torch.cat(last))

    def step(
        self, tokens: Sequence[int], branches: Sequence[int], at: Sequence[int]
    ) -> torch.Tensor:
        """Append one token to some branches.

        Args:
            tokens: the token of each.
            branches: their indices.
            at: each token's place in its branch.

        Returns:
            Logits ``[len(branches), vocabulary]``.
        """
        embeddings = self._sequence.embed(tokens)
        hidden = self._append(embeddings, torch.tensor(branches), torch.tensor(at))
        return self._sequence.logits(hidden)

    def _append(
        self, embeddings: torch.Tensor, owners: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor:
        owners = owners.to(self._owners.device)
        self._owners = torch.cat([self._owners, owners])
        # Rows come in order within a branch, so that causal is: not after the row itself.
        own = (owners[:, None] == self._owners).tril_(len(self._owners) - len(owners))
        prefix = own.new_ones(len(owners), self._prefix)
        allowed = torch.cat([prefix, own], dim=1)
        return self._sequence.append(embeddings, self._prefix + places, allowed)


def _groups(branches: Sequence[torch.Tensor]) -> Iterator[tuple[int, Sequence[torch.Tensor]]]:
    """Whole branches in groups of at most :data:`ROWS` positions, each with its first index."""
    first, rows = 0, 0
    for i, branch in enumerate(branches):
        if i > first and rows + len(branch) > ROWS:
            yield first, branches[first:i]
            first, rows = i, 0
        rows += len(branch)
    yield first, branches[first:]


def decode_branches(
    branches: Branches, beginnings: Sequence[torch.Tensor], stopping: Stopping
) -> list[Decoded]:
    """Continue all branches greedily, together, each until it stops.

    Args:
        branches: the prefix.
        beginnings: embeddings ``[L_i, hidden]`` of each branch, following the prefix.
        stopping: when an answer ends.
    """
    answers: list[list[int]] = [[] for _ in beginnings]
    reasons = [FinishReason.LENGTH] * len(beginnings)
    active = list(range(len(beginnings))) if stopping.limit else []
    logits = branches.start(beginnings)
    while active:
        going = []
        for branch, token in zip(active, logits.argmax(-1).tolist(), strict=True):
            if token in stopping.ids:
                reasons[branch] = FinishReason.STOP
                continue
            answers[branch].append(token)
            if len(answers[branch]) < stopping.limit:
                going.append(branch)
        active = going
        if active:
            places = [len(beginnings[b]) + len(answers[b]) - 1 for b in active]
            logits = branches.step([answers[b][-1] for b in active], active, places)
    return [Decoded(tuple(a), reason) for a, reason in zip(answers, reasons, strict=True)]
