"""Branches of one prefix, packed behind it in a single sequence.

A row sees the prefix and its own branch, at the positions it would have alone: nothing of the
prefix is copied per branch, and what is computed is what each branch alone would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from adapters.decoding import ROWS, CachedSequence, Decoded, Stopping
from adapters.greedy import decode_together
from adapters.interface import FinishReason
from adapters.language import LanguageModel
from adapters.stepping import SHARED, Continuation, Stepper


class Branches:
    """Branches packed behind a prefix that has been read."""

    def __init__(
        self, language_model: LanguageModel, prefix: torch.Tensor, stepper: Stepper | None = None
    ) -> None:
        """Read the prefix, ``[P, hidden]``.

        Args:
            language_model: the network.
            prefix: what every branch begins with.
            stepper: of the network, to take the steps with.
        """
        self._sequence = CachedSequence(language_model)
        self._sequence.prefill(prefix)
        self._stepper = stepper
        self._prefix = len(prefix)
        # The branch of every place, int64 [length].
        self._owners = torch.full((self._prefix,), SHARED, device=prefix.device)
        # The branches that are continued and the place of each one's next token, int64 [held];
        # a continuation has its own.
        self._held = self._places = torch.zeros(0, dtype=torch.int64)
        self._continued: Continuation | None = None

    @property
    def keeping_copies(self) -> bool:
        """With a stepper, whose captured steps are of few numbers of rows."""
        return self._stepper is not None

    def start(self, branches: Sequence[torch.Tensor]) -> torch.Tensor:
        """Read the beginnings of new branches, forgetting any earlier ones.

        Args:
            branches: embeddings ``[L_i, hidden]``, following the prefix.

        Returns:
            Logits ``[branches, vocabulary]`` of each branch's first new token.
        """
        self._sequence.truncate(self._prefix)
        self._owners = self._owners[: self._prefix]
        last = []
        for first, group in _groups(branches):
            lengths = torch.tensor([len(branch) for branch in group])
            owners = torch.arange(first, first + len(group)).repeat_interleave(lengths)
            places = torch.cat([torch.arange(len(branch)) for branch in group])
            hidden = self._append(torch.cat(list(group)), owners, places)
            last.append(hidden[(lengths.cumsum(0) - 1).to(hidden.device)])
        self._held = torch.arange(len(branches))
        self._places = torch.tensor([len(branch) for branch in branches])
        self._continued = None
        return self._sequence.logits(torch.cat(last))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token, int64 ``[held]``, to every branch held.

        Returns:
            Logits ``[held, vocabulary]``.
        """
        if self._stepper is not None:
            return self._continue(self._stepper).step(tokens)
        hidden = self._append(self._sequence.embed(tokens), self._held, self._places)
        self._places = self._places + 1
        return self._sequence.logits(hidden)

    def keep(self, kept: torch.Tensor) -> None:
        """Continue these branches alone, int64 ``[kept]`` of those held."""
        if self._stepper is not None:
            self._continue(self._stepper).keep(kept)
            return
        kept = kept.to(self._held.device)
        self._held, self._places = self._held[kept], self._places[kept]

    def _continue(self, stepper: Stepper) -> Continuation:
        """The continuation, begun when it is first needed: many answers are one token long."""
        if self._continued is None:
            positions = (self._prefix + self._places).to(self._owners.device)
            layers = self._sequence.layers
            self._continued = stepper.begin([layers], self._owners, positions)
        return self._continued

    def _append(
        self, embeddings: torch.Tensor, owners: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor:
        owners = owners.to(self._owners.device)
        self._owners = torch.cat([self._owners, owners])
        allowed = (owners[:, None] == self._owners) | (self._owners == SHARED)
        # Rows come in order within a branch, so that causal is: not after the row itself.
        allowed.tril_(len(self._owners) - len(owners))
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
    if not beginnings or not stopping.limit:
        return [Decoded((), FinishReason.LENGTH)] * len(beginnings)
    return decode_together(branches, branches.start(beginnings), stopping)
