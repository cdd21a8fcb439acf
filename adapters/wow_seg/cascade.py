"""All regions and all answers in one sequence, under the Cascade Attention Mask.

The authors train this way but publish no decoder for it; this one continues the training
sequence. Answers come one after another, each until the separator token or its own limit; the
separator that ends answer i is read as part of answer i, and its row gives the first token of
answer i + 1. The end of turn ends everything: regions without an answer yet stay empty.

Answers are *not* independent of the other regions, see :func:`allowed_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from adapters.decoding import ROWS, CachedSequence, Decoded, Stopping
from adapters.interface import Answer, FinishReason, Generation, RegionQuery, SettingError
from adapters.wow_seg.attention import Cascade, Roles, allowed_rows
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.encoding import encode_pictures
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.preprocessing import RegionCrop
from adapters.wow_seg.prompting import Prompt, Prompter

FIRST_LOGITS_TOKENS = 100  # the evaluation's limit: a first token depends on the answers before it


def separator_id(prompter: Prompter, separator: str) -> int:
    """The token that ends an answer.

    The published collator separates at ``","`` (names joined by ``", "``), the published data
    converter joins by ``" , "``, whose token is ``" ,"``; which pair trained the released weights
    is not known, so both are possible settings.

    Raises:
        SettingError: ``separator`` is not one token.
    """
    ids = prompter.encode(separator)
    if len(ids) != 1:
        raise SettingError(
            f"wow-seg: separator {separator!r} is {len(ids)} tokens of this tokenizer, expected 1 "
            "(',' or ' ,')"
        )
    return ids[0]


class CascadeSequence:
    """A multi-mask prompt that has been read, and the answers written behind it."""

    def __init__(
        self, model: WowSegModel, prompt: Prompt, embeddings: torch.Tensor, variant: Cascade
    ) -> None:
        """Read the prompt; ``embeddings`` are its ``[N, hidden]``."""
        self._sequence = CachedSequence(model.language_model)
        self._variant = variant
        self._roles = Roles.of(prompt.input_ids, prompt.runs[1:])
        plain = self._plain_rows(prompt)
        hidden = self._sequence.prefill(embeddings[:plain])
        for start in range(plain, len(embeddings), ROWS):
            hidden = self._append(embeddings[start : start + ROWS])
        self._last = hidden[-1:]

    def _plain_rows(self, prompt: Prompt) -> int:
        """Rows at the beginning for which the mask is plain causal."""
        plain = len(prompt.input_ids)
        if self._variant.separates_regions:
            plain = prompt.runs[1].start
        if self._variant is not Cascade.NONE and self._roles.hidden.any():
            plain = min(plain, int(self._roles.hidden.nonzero()[0]))
        return plain

    def _append(self, embeddings: torch.Tensor) -> torch.Tensor:
        start = len(self._sequence)
        end = start + len(embeddings)
        allowed = allowed_rows(self._roles, self._variant, start, end)
        return self._sequence.append(embeddings, torch.arange(start, end), allowed)

    def logits(self) -> torch.Tensor:
        """Logits ``[vocabulary]`` of the next token."""
        return self._sequence.logits(self._last)[0]

    def write(self, token: int, answer: int) -> None:
        """Append a token that belongs to answer ``answer``."""
        self._roles = self._roles.with_answer_token(token, answer)
        self._last = self._append(self._sequence.embed([token]))


def decode_cascade(
    sequence: CascadeSequence, regions: int, separator: int, end_of_turn: int, stopping: Stopping
) -> tuple[list[Decoded], list[torch.Tensor]]:
    """Write one answer for each region, greedily.

    Args:
        sequence: the prompt, read.
        regions: K.
        separator: token that ends an answer.
        end_of_turn: token that ends the last answer.
        stopping: when an answer ends; an answer at its limit has the separator put behind it.

    Returns:
        K answers, and the logits ``[vocabulary]`` that chose each one's first token; fewer
        logits when the turn ended early.
    """
    answers: list[Decoded] = []
    first: list[torch.Tensor] = []
    for answer in range(regions):
        if answer:
            sequence.write(separator, answer - 1)
        logits = sequence.logits()
        first.append(logits)
        tokens: list[int] = []
        reason = FinishReason.LENGTH
        while len(tokens) < stopping.limit:
            token = int(logits.argmax())
            if token in stopping.ids:
                reason = FinishReason.STOP
                if token == end_of_turn:
                    answers.append(Decoded(tuple(tokens), reason))
                    unasked = [Decoded((), FinishReason.NONE)] * (regions - len(answers))
                    return answers + unasked, first
                break
            tokens.append(token)
            sequence.write(token, answer)
            logits = sequence.logits()
        answers.append(Decoded(tuple(tokens), reason))
    return answers, first


class _Asked(NamedTuple):
    """What became of a query; ``refused`` holds ``None`` at the ``indices`` that were asked."""

    refused: list[Answer | None]
    indices: tuple[int, ...]
    answers: list[Decoded]
    first_logits: list[torch.Tensor]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class CascadeMode:
    """All regions in one sequence; see :class:`~adapters.wow_seg.context.Mode`."""

    context: ModelContext
    separator: int

    def recognize(self, query: RegionQuery, template: str, generation: Generation) -> list[Answer]:
        """Answer every region of one picture."""
        asked = self._ask(query, template, self.context.stopping(generation, self.separator))
        answers = list(asked.refused)
        for index, decoded in zip(asked.indices, asked.answers, strict=True):
            answers[index] = self.context.answer(decoded, asked.prompt_tokens)
        return [answer for answer in answers if answer is not None]

    def first_token_logits(self, query: RegionQuery, template: str) -> torch.Tensor:
        """Logits of every region's first token; NaN also where the turn ended before it."""
        generation = Generation(FIRST_LOGITS_TOKENS)
        asked = self._ask(query, template, self.context.stopping(generation, self.separator))
        rows: list[torch.Tensor | None] = [None] * len(query.masks)
        for index, logits in zip(asked.indices, asked.first_logits, strict=False):
            rows[index] = logits
        return self.context.logits_table(rows)

    def _ask(self, query: RegionQuery, template: str, stopping: Stopping) -> _Asked:
        context = self.context
        tiled = context.tile(query)
        found = [context.crop(tiled, query, index) for index in range(len(query.masks))]
        crops = {i: crop for i, crop in enumerate(found) if isinstance(crop, RegionCrop)}
        refused = [entry if isinstance(entry, Answer) else None for entry in found]
        if not crops:
            return _Asked(refused, (), [], [], 0)
        tiles, regions = encode_pictures(context.model, tiled.tiles, list(crops.values()))
        prompt = context.prompter.prompt(template, len(tiles), [len(r) for r in regions])
        refusal = context.too_long(prompt, len(regions) * (stopping.limit + 1))
        if refusal is not None:
            return _Asked([entry or refusal for entry in refused], (), [], [], 0)
        embeddings = context.embed(prompt.input_ids, tiles, *regions)
        sequence = CascadeSequence(context.model, prompt, embeddings, context.settings.cascade)
        end_of_turn = context.prompter.tokens.end_of_turn
        answers, first = decode_cascade(
            sequence, len(regions), self.separator, end_of_turn, stopping
        )
        return _Asked(refused, tuple(crops), answers, first, len(prompt.input_ids))
