"""What every multi-instance mode works with: the network, its prompts and the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from adapters.decoding import Decoded, Stopping
from adapters.interface import Answer, Generation, RegionQuery
from adapters.regions import logits_table, read_mask, too_long
from adapters.resampling import Resampler
from adapters.stepping import Stepper
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.preprocessing import RegionCrop, TiledImage, crop_region, tile_image
from adapters.wow_seg.prompting import Prompt, Prompter
from adapters.wow_seg.settings import Settings


class Mode(Protocol):
    """One way of decoding the N regions of a picture."""

    def recognize(self, query: RegionQuery, template: str, generation: Generation) -> list[Answer]:
        """Answer every region of one picture; ``template`` is the user's message."""
        ...

    def first_token_logits(self, query: RegionQuery, template: str) -> torch.Tensor:
        """Logits ``[regions, vocabulary]`` of the first tokens; NaN for regions not asked."""
        ...


@dataclass(frozen=True, slots=True)
class ModelContext:
    """The network, its prompts and the settings, with the steps the modes share.

    Answers that share a prefix are continued with ``stepper``.
    """

    model: WowSegModel
    prompter: Prompter
    settings: Settings
    stepper: Stepper | None = None

    def tile(self, query: RegionQuery) -> TiledImage:
        """Cut the query's picture into tiles."""
        resampler = Resampler.beside(self.model.device)
        return tile_image(query.image, self.settings.max_tiles, self.model.config, resampler)

    def crop(self, tiled: TiledImage, query: RegionQuery, index: int) -> RegionCrop | Answer:
        """Cut out one region, or say why it cannot be asked."""
        mask = read_mask(query, index)
        if isinstance(mask, Answer):
            return mask
        crop = crop_region(
            tiled, mask, self.model.config, self.settings.scale, self.settings.region_tokens
        )
        if crop is None:
            return Answer.unanswerable(
                f"nothing of the mask is left when the picture is resized to "
                f"{tiled.size[0]}x{tiled.size[1]} for its tiles"
            )
        return crop

    def embed(self, input_ids: Sequence[int], *features: torch.Tensor) -> torch.Tensor:
        """Input embeddings ``[N, hidden]`` of ids, image tokens taken from ``features``."""
        image_context = self.prompter.tokens.image_context
        return self.model.embed(torch.tensor(input_ids), torch.cat(features), image_context)

    def stopping(self, generation: Generation, *also: int) -> Stopping:
        """Answers end at the end of turn, or at the tokens ``also``."""
        return Stopping.of(generation, self.prompter.tokens.end_of_turn, *also)

    def too_long(self, prompt: Prompt, new: int) -> Answer | None:
        """The answer where a prompt leaves no room for ``new`` further positions."""
        several = len(prompt.runs) > 2
        advice = "use fewer tiles or new tokens"
        return too_long(
            len(prompt.input_ids),
            new,
            self.model.config.language.max_position_embeddings,
            f"{advice}, or multi_instance=shared-prefix" if several else advice,
        )

    def answer(self, decoded: Decoded, prompt_tokens: int) -> Answer:
        """Turn generated ids into an answer."""
        text = self.prompter.decode(decoded.token_ids)
        return Answer.generated(text, decoded.token_ids, decoded.finish_reason, prompt_tokens)

    def logits_table(self, rows: list[torch.Tensor | None]) -> torch.Tensor:
        """Stack logits to float32 ``[regions, vocabulary]``, NaN where a region was not asked."""
        return logits_table(rows, self.model.config.language.vocab_size)
