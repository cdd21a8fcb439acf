"""The Cascade Attention Mask: which position of a multi-mask sequence may see which."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import torch

from adapters.wow_seg.prompting import Span, SpecialTokens

COLLATOR_PAD_ID = 0  # also the token "!", which therefore hides from later positions


class Cascade(StrEnum):
    """What the mask separates (paper, Table 4): regions, answers, both, or nothing."""

    REGION = "region"
    OUTPUT = "output"
    REGION_OUTPUT = "region+output"
    NONE = "none"

    @property
    def separates_regions(self) -> bool:
        """Whether a region's tokens are hidden from the other regions'."""
        return self in (Cascade.REGION, Cascade.REGION_OUTPUT)

    @property
    def separates_outputs(self) -> bool:
        """Whether an answer sees only its own region and no earlier answer."""
        return self in (Cascade.OUTPUT, Cascade.REGION_OUTPUT)


class Segments(NamedTuple):
    """Spans of a multi-mask sequence; marks ``<img>`` and ``</img>`` belong to their run.

    ``infix`` is the text between the last region and the first answer; ``outputs`` are the
    answers, each with the separator that ends it, the last with the end of turn.
    """

    image: Span
    regions: tuple[Span, ...]
    infix: Span
    outputs: tuple[Span, ...]


def parse_segments(input_ids: Sequence[int], tokens: SpecialTokens, separator: int) -> Segments:
    """Find the segments of a full training sequence the way the official collator does.

    Args:
        input_ids: prompt, answer and end of turn.
        tokens: ids of the special tokens.
        separator: token id that ends an answer.

    Raises:
        ValueError: the sequence holds no image and region run, or no answer.
    """
    starts = [i for i, t in enumerate(input_ids) if t == tokens.image_start]
    ends = [i + 1 for i, t in enumerate(input_ids) if t == tokens.image_end]
    newlines = [i for i, t in enumerate(input_ids) if t == tokens.newline]
    if len(starts) < 2 or len(starts) != len(ends) or len(newlines) < 2:
        raise ValueError("expected an image run, at least one region run and an answer")
    image, *regions = (Span(a, b) for a, b in zip(starts, ends, strict=True))
    answers_start = newlines[-2] + 1
    outputs = []
    start = answers_start
    for position in range(answers_start, len(input_ids)):
        if input_ids[position] == separator:
            outputs.append(Span(start, position + 1))
            start = position + 1
    if start < len(input_ids):
        outputs.append(Span(start, len(input_ids)))
    return Segments(image, tuple(regions), Span(regions[-1].end, answers_start), tuple(outputs))


def cascade_mask(
    input_ids: Sequence[int], tokens: SpecialTokens, separator: int, variant: Cascade
) -> torch.Tensor:
    """The mask of a full training sequence: prompt, answers and end of turn.

    Everything is causal; beyond that ``region`` hides every region from the later ones, and
    ``output`` hides from answer i every region but its own and every earlier answer. The infix
    sees all regions and every answer sees the infix, so regions do influence each other. Answers
    beyond the last region see every region. As in the official collator, a token whose id is
    that of its padding is seen by nobody, itself included, in all variants but ``none``.

    Args:
        input_ids: N token ids.
        tokens: ids of the special tokens.
        separator: token id that ends an answer.
        variant: what is separated.

    Returns:
        bool ``[N, N]``, true where the row may attend to the column.

    Raises:
        ValueError: the sequence holds no image and region run, or no answer.
    """
    allowed = torch.ones(len(input_ids), len(input_ids), dtype=torch.bool).tril_()
    if variant is Cascade.NONE:
        return allowed
    _, regions, _, outputs = parse_segments(input_ids, tokens, separator)
    if variant.separates_regions:
        for i, region in enumerate(regions):
            for earlier in regions[:i]:
                allowed[region.slice, earlier.slice] = False
    if variant.separates_outputs:
        for i, output in enumerate(outputs):
            for earlier in outputs[:i]:
                allowed[output.slice, earlier.slice] = False
            others = regions[:i] + regions[i + 1 :] if i < len(regions) else ()
            for region in others:
                allowed[output.slice, region.slice] = False
    allowed[:, torch.tensor(input_ids) == COLLATOR_PAD_ID] = False
    return allowed


def additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Turn a boolean mask into what transformers adds to attention scores: 0 or the minimum.

    The minimum rather than -inf: a row that may see nothing would give NaN.
    """
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)
