"""One region at a time, everything encoded anew: the authors' evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from adapters.decoding import CachedSequence, Decoded, Stopping
from adapters.interface import Answer, FinishReason, Generation, RegionQuery
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.encoding import encode_pictures


@dataclass(frozen=True, slots=True)
class SingleMode:
    """Every region is a prompt of its own; see :class:`~adapters.wow_seg.context.Mode`."""

    context: ModelContext

    def recognize(self, query: RegionQuery, template: str, generation: Generation) -> list[Answer]:
        """Answer every region of one picture."""
        answers = []
        for index in range(len(query.masks)):
            encoded = self._encode(query, index)
            if not isinstance(encoded, Answer):
                encoded = answer_alone(self.context, template, *encoded, generation)
            answers.append(encoded)
        return answers

    def first_token_logits(self, query: RegionQuery, template: str) -> torch.Tensor:
        """Logits of every region's first token."""
        rows: list[torch.Tensor | None] = []
        for index in range(len(query.masks)):
            encoded = self._encode(query, index)
            if isinstance(encoded, Answer):
                rows.append(None)
                continue
            counts = [len(features) for features in encoded]
            prompt = self.context.prompter.prompt(template, counts[0], counts[1:])
            sequence = CachedSequence(self.context.model.language_model)
            hidden = sequence.prefill(self.context.embed(prompt.input_ids, *encoded))
            rows.append(sequence.logits(hidden[-1:])[0])
        return self.context.logits_table(rows)

    def _encode(self, query: RegionQuery, index: int) -> tuple[torch.Tensor, torch.Tensor] | Answer:
        """Features of the picture and of one region, or why it cannot be asked."""
        tiled = self.context.tile(query)
        crop = self.context.crop(tiled, query, index)
        if isinstance(crop, Answer):
            return crop
        tiles, (region,) = encode_pictures(self.context.model, tiled.tiles, [crop])
        return tiles, region


def answer_alone(
    context: ModelContext,
    template: str,
    tiles: torch.Tensor,
    region: torch.Tensor,
    generation: Generation,
) -> Answer:
    """Answer one region from its features.

    Args:
        context: the network and settings.
        template: the user's message.
        tiles: features of the picture, ``[tokens, hidden]``.
        region: features of the region, ``[k, hidden]``.
        generation: decoding limits.
    """
    prompt = context.prompter.prompt(template, len(tiles), [len(region)])
    stopping = context.stopping(generation)
    refusal = context.too_long(prompt, stopping.limit)
    if refusal is not None:
        return refusal
    decoded = decode_alone(context, context.embed(prompt.input_ids, tiles, region), stopping)
    return context.answer(decoded, len(prompt.input_ids))


def decode_alone(context: ModelContext, embeddings: torch.Tensor, stopping: Stopping) -> Decoded:
    """Continue one prompt, ``[N, hidden]``, greedily."""
    sequence = CachedSequence(context.model.language_model)
    hidden = sequence.prefill(embeddings)[-1:]
    tokens: list[int] = []
    while len(tokens) < stopping.limit:
        token = int(sequence.logits(hidden).argmax())
        if token in stopping.ids:
            return Decoded(tuple(tokens), FinishReason.STOP)
        tokens.append(token)
        if len(tokens) < stopping.limit:
            hidden = sequence.append(sequence.embed([token]), torch.tensor([len(sequence)]))
    return Decoded(tuple(tokens), FinishReason.LENGTH)
