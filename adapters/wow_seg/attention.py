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


class Roles(NamedTuple):
    """What each of N positions is: int64 ``[N]`` index of its region or answer, -1 for neither.

    ``hidden``, bool ``[N]``, marks positions nobody sees.
    """

    region: torch.Tensor
    output: torch.Tensor
    hidden: torch.Tensor

    @classmethod
    def of(
        cls, input_ids: Sequence[int], regions: Sequence[Span], outputs: Sequence[Span] = ()
    ) -> Roles:
        """Roles of a sequence with these spans.

        As in the official collator, which pads with id 0, every token of that id is hidden, be
        it padding or not.
        """
        region, output = (torch.full((len(input_ids),), -1) for _ in range(2))
        for roles, spans in ((region, regions), (output, outputs)):
            for i, span in enumerate(spans):
                roles[span.start : span.end] = i
        return cls(region, output, torch.tensor(input_ids) == COLLATOR_PAD_ID)

    def with_answer_token(self, token: int, answer: int) -> Roles:
        """The roles after one more token, of answer ``answer``."""
        return Roles(
            torch.cat([self.region, torch.tensor([-1])]),
            torch.cat([self.output, torch.tensor([answer])]),
            torch.cat([self.hidden, torch.tensor([token == COLLATOR_PAD_ID])]),
        )


def allowed_rows(roles: Roles, variant: Cascade, start: int, end: int) -> torch.Tensor:
    """What positions ``start`` to ``end`` may attend to.

    Everything is causal; beyond that ``region`` hides every region from the later ones, and
    ``output`` hides from answer i every region but its own and every earlier answer. The infix
    sees all regions and every answer sees the infix, so regions do influence each other. Answers
    beyond the last region see every region. ``none`` is plain causal, nothing hidden.

    Returns:
        bool ``[end - start, end]``, true where the row may attend to the column.
    """
    allowed = torch.ones(end - start, end, dtype=torch.bool).tril_(start)
    if variant is Cascade.NONE:
        return allowed
    region, output, hidden = (role[:end] for role in roles)
    row_region, row_output = region[start:, None], output[start:, None]
    in_region, in_output = region >= 0, output >= 0
    if variant.separates_regions:
        allowed &= ~((row_region >= 0) & in_region & (row_region != region))
    if variant.separates_outputs:
        allowed &= ~((row_output >= 0) & in_output & (row_output != output))
        paired = (row_output >= 0) & (row_output <= roles.region.max())
        allowed &= ~(paired & in_region & (row_output != region))
    return allowed & ~hidden


def cascade_mask(
    input_ids: Sequence[int], tokens: SpecialTokens, separator: int, variant: Cascade
) -> torch.Tensor:
    """The mask of a full training sequence: prompt, answers and end of turn.

    Args:
        input_ids: N token ids.
        tokens: ids of the special tokens.
        separator: token id that ends an answer.
        variant: what is separated; see :func:`allowed_rows`.

    Returns:
        bool ``[N, N]``, true where the row may attend to the column.

    Raises:
        ValueError: the sequence holds no image and region run, or no answer.
    """
    segments = parse_segments(input_ids, tokens, separator)
    roles = Roles.of(input_ids, segments.regions, segments.outputs)
    return allowed_rows(roles, variant, 0, len(input_ids))
