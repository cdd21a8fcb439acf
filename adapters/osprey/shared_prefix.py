"""The picture and the prompt's beginning once, then all regions as branches of it.

The prompts of one picture differ only in the two embeddings of the region. Everything before them
is read once; each branch then holds those two, the prompt's tail and its answer, so that the
answers are those of one region alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image

from adapters.branches import Branches
from adapters.interface import Answer, RegionQuery
from adapters.osprey.modeling import EncodedImage, OspreyModel
from adapters.osprey.preprocessing import IMAGE_TOKENS, RegionGrids, sample_mask
from adapters.osprey.prompting import Prompt
from adapters.osprey.squares import load_square
from adapters.regions import read_mask, too_long
from adapters.stepping import Stepper

WAVE = 64  # regions decoded together; bounds memory when a picture has hundreds


class Wave(NamedTuple):
    """Regions decoded together, by index.

    ``refused`` are those that cannot be asked; ``beginnings`` the embeddings ``[L, hidden]`` of
    the others' branches, behind ``prefix`` (``None`` when there are none).
    """

    refused: dict[int, Answer]
    beginnings: dict[int, torch.Tensor]
    prefix: Branches | None


class _Picture(NamedTuple):
    """An encoded picture, and the prompt up to the region, read."""

    image: EncodedImage
    prefix: Branches


@dataclass(frozen=True, slots=True)
class SharedPrefix:
    """A question about each region of a picture; the answers' steps are taken with ``stepper``."""

    model: OspreyModel
    prompt: Prompt
    stepper: Stepper | None = None

    def waves(self, query: RegionQuery, new: int) -> Iterator[Wave]:
        """Encode the picture once, unless no region can be asked, and the regions wave by wave.

        Args:
            query: the picture and its regions.
            new: longest answer.
        """
        refusal = too_long(
            self.prompt.length(IMAGE_TOKENS),
            new,
            self.model.config.language.max_position_embeddings,
            "use a shorter prompt or fewer new tokens",
        )
        picture = None
        for start in range(0, len(query.masks), WAVE):
            refused: dict[int, Answer] = {}
            grids: dict[int, RegionGrids] = {}
            for index in range(start, min(start + WAVE, len(query.masks))):
                mask = read_mask(query, index)
                if isinstance(mask, Answer):
                    refused[index] = mask
                elif refusal is not None:
                    refused[index] = refusal
                else:
                    grids[index] = sample_mask(mask, self.model.device)
            if not grids:
                yield Wave(refused, {}, None)
                continue
            picture = picture or self._read(query.image)
            yield Wave(refused, self._begin(picture.image, grids), picture.prefix)

    def _read(self, image: Image.Image) -> _Picture:
        encoded = self.model.encode_image(load_square(image))
        embed = self.model.embed
        before, (between, _) = self.prompt
        prefix = torch.cat([embed(before), encoded.tokens, embed(between)])
        return _Picture(encoded, Branches(self.model.language_model, prefix, self.stepper))

    def _begin(self, image: EncodedImage, grids: dict[int, RegionGrids]) -> dict[int, torch.Tensor]:
        tail = self.model.embed(self.prompt.after_image[1])
        regions = self.model.encode_regions(image, RegionGrids.stack(list(grids.values())))
        return {
            index: torch.cat([region, tail]) for index, region in zip(grids, regions, strict=True)
        }
