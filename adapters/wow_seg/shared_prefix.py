"""The picture and the prompt's beginning once, then all regions as branches of it.

The single-mask prompts of one picture differ only from the region's tokens on. Their common
prefix is read once; each branch then holds its region's tokens, the prompt's tail and its answer,
so that the answers are those of ``single``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch

from adapters.branches import Branches, decode_branches
from adapters.interface import Answer, Generation, RegionQuery
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.encoding import encode_pictures
from adapters.wow_seg.preprocessing import RegionCrop
from adapters.wow_seg.prompting import Prompt

WAVE = 64  # regions decoded together; bounds memory when a picture has hundreds


class _Branch(NamedTuple):
    """One region's prompt, and the embeddings ``[L, hidden]`` of its part after the prefix."""

    prompt: Prompt
    beginning: torch.Tensor


class _Wave(NamedTuple):
    """Regions decoded together, by index; ``refused`` are those that cannot be asked."""

    refused: dict[int, Answer]
    asked: dict[int, _Branch]

    @property
    def beginnings(self) -> list[torch.Tensor]:
        return [branch.beginning for branch in self.asked.values()]


@dataclass(frozen=True, slots=True)
class SharedPrefixMode:
    """All regions together; see :class:`~adapters.wow_seg.context.Mode`."""

    context: ModelContext

    def recognize(self, query: RegionQuery, template: str, generation: Generation) -> list[Answer]:
        """Answer every region of one picture."""
        stopping = self.context.stopping(generation)
        answers: dict[int, Answer] = {}
        for wave, branches in self._waves(query, template, stopping.limit):
            answers |= wave.refused
            decoded = decode_branches(branches, wave.beginnings, stopping) if branches else []
            for (index, branch), one in zip(wave.asked.items(), decoded, strict=True):
                answers[index] = self.context.answer(one, len(branch.prompt.input_ids))
        return [answers[index] for index in range(len(query.masks))]

    def first_token_logits(self, query: RegionQuery, template: str) -> torch.Tensor:
        """Logits of every region's first token."""
        rows: list[torch.Tensor | None] = [None] * len(query.masks)
        for wave, branches in self._waves(query, template, 0):
            if branches:
                for index, row in zip(wave.asked, branches.start(wave.beginnings), strict=True):
                    rows[index] = row
        return self.context.logits_table(rows)

    def _waves(
        self, query: RegionQuery, template: str, new: int
    ) -> Iterator[tuple[_Wave, Branches | None]]:
        """Encode the picture once, and its regions wave by wave.

        Yields:
            The regions and the prefix they branch from, ``None`` when none of them can be asked.
        """
        context = self.context
        tiled = context.tile(query)
        branches, image_tokens = None, 0
        for start in range(0, len(query.masks), WAVE):
            indices = range(start, min(start + WAVE, len(query.masks)))
            found = {index: context.crop(tiled, query, index) for index in indices}
            crops = {i: crop for i, crop in found.items() if isinstance(crop, RegionCrop)}
            wave = _Wave({i: a for i, a in found.items() if isinstance(a, Answer)}, {})
            if crops:
                # The first wave's crops share batches with the tiles.
                pictures = tiled.tiles if branches is None else tiled.tiles[:0]
                tiles, regions = encode_pictures(context.model, pictures, list(crops.values()))
                if branches is None:
                    image_tokens = len(tiles)
                    branches = self._read_prefix(template, tiles)
                for index, region in zip(crops, regions, strict=True):
                    self._add(wave, index, template, image_tokens, region, new)
            yield wave, branches if wave.asked else None

    def _read_prefix(self, template: str, tiles: torch.Tensor) -> Branches:
        prompt = self.context.prompter.prompt(template, len(tiles), [0])
        prefix = prompt.input_ids[: prompt.runs[1].start]
        embeddings = self.context.embed(prefix, tiles)
        return Branches(self.context.model.language_model, embeddings, self.context.stepper)

    def _add(
        self,
        wave: _Wave,
        index: int,
        template: str,
        image_tokens: int,
        region: torch.Tensor,
        new: int,
    ) -> None:
        """Sort one encoded region into the wave."""
        prompt = self.context.prompter.prompt(template, image_tokens, [len(region)])
        refusal = self.context.too_long(prompt, new)
        if refusal is not None:
            wave.refused[index] = refusal
        else:
            after_prefix = prompt.input_ids[prompt.runs[1].start :]
            wave.asked[index] = _Branch(prompt, self.context.embed(after_prefix, region))
