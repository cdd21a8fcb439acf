"""Scenes as token sequences, in the two forms training uses.

``together``: one prompt with all regions of a scene and one answer with all names, attended to
through a variant of the cascade mask. ``separately``: one prompt per region. Prompts that share
a scene share everything before their region, so they are laid side by side after one common
prefix, each blind to the others and numbered from the prefix's end; the arithmetic is that of
prompts run one by one, at a fraction of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from adapters.wow_seg.attention import Cascade, cascade_mask
from adapters.wow_seg.prompting import CATEGORY_PROMPT, IGNORED_LABEL, Prompter


class TokenSequence(NamedTuple):
    """Token ids, labels and positions, N long each, and bool ``allowed`` ``[N, N]``."""

    ids: list[int]
    labels: list[int]
    positions: list[int]
    allowed: torch.Tensor


class Batch(NamedTuple):
    """Sequences padded to one length: int64 ``[B, N]`` and bool ``[B, N, N]``."""

    ids: torch.Tensor
    labels: torch.Tensor
    positions: torch.Tensor
    allowed: torch.Tensor


def together(
    prompter: Prompter,
    image_tokens: int,
    region_tokens: Sequence[int],
    names: Sequence[str],
    cascade: Cascade,
) -> TokenSequence:
    """All regions in one prompt, as in multi-mask training."""
    separator = prompter.encode(",")[0]
    sequence = prompter.training(CATEGORY_PROMPT, image_tokens, region_tokens, ", ".join(names))
    return TokenSequence(
        list(sequence.input_ids),
        list(sequence.labels),
        list(range(len(sequence.input_ids))),
        cascade_mask(sequence.input_ids, prompter.tokens, separator, cascade),
    )


def separately(
    prompter: Prompter, image_tokens: int, region_tokens: Sequence[int], names: Sequence[str]
) -> TokenSequence:
    """One prompt per region, side by side after their common prefix."""
    ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    branches: list[range] = []
    for tokens, name in zip(region_tokens, names, strict=True):
        single = prompter.training(CATEGORY_PROMPT, image_tokens, [tokens], name)
        shared = single.runs[1].start
        begin = 0 if not branches else shared
        start = len(ids) + (shared if not branches else 0)
        ids += single.input_ids[begin:]
        labels += single.labels[begin:]
        positions += range(begin, len(single.input_ids))
        branches.append(range(start, len(ids)))
    allowed = torch.ones(len(ids), len(ids), dtype=torch.bool).tril_()
    for branch in branches:
        allowed[branch.start : branch.stop, branches[0].start : branch.start] = False
    return TokenSequence(ids, labels, positions, allowed)


def collate(sequences: Sequence[TokenSequence]) -> Batch:
    """Pad to the longest. Padding sees only itself and is seen by nobody."""
    length = max(len(sequence.ids) for sequence in sequences)
    ids = torch.zeros(len(sequences), length, dtype=torch.int64)
    labels = torch.full_like(ids, IGNORED_LABEL)
    positions = torch.zeros_like(ids)
    allowed = torch.eye(length, dtype=torch.bool).repeat(len(sequences), 1, 1)
    for row, sequence in enumerate(sequences):
        count = len(sequence.ids)
        ids[row, :count] = torch.tensor(sequence.ids)
        labels[row, :count] = torch.tensor(sequence.labels)
        positions[row, :count] = torch.tensor(sequence.positions)
        allowed[row, :count, :count] = sequence.allowed
    return Batch(ids, labels, positions, allowed)
