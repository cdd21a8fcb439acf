"""Computed cost of an Osprey query; see :mod:`adapters.costs`."""

from __future__ import annotations

from dataclasses import replace

import torch

from adapters.costs import PhaseCosts, check_context, count_branches, count_flops, on_meta
from adapters.osprey import ENTRY
from adapters.osprey.adapter import OspreyRecognizer, load
from adapters.osprey.preprocessing import (
    IMAGE_SIZE,
    IMAGE_TOKENS,
    LEVEL_SIDES,
    POSITION_SIDE,
    RegionGrids,
)
from adapters.osprey.shared_prefix import WAVE


@torch.inference_mode()
def cost_of_query(
    recognizer: OspreyRecognizer, instances: int, tokens: int, size: tuple[int, int]
) -> PhaseCosts:
    """Cost of one query.

    Args:
        recognizer: with its network on any device.
        instances: regions.
        tokens: new tokens of every answer.
        size: width and height of the picture in pixels, which change nothing.
    """
    model = recognizer.model
    prompt = recognizer.prompter.prompt(recognizer.card.prompts[ENTRY.tasks[0]])
    limit = model.config.language.max_position_embeddings
    check_context(prompt.length(IMAGE_TOKENS), tokens, limit)
    grids = RegionGrids(
        tuple(torch.zeros(instances, side**2, dtype=torch.bool) for side in LEVEL_SIDES),
        torch.zeros(instances, POSITION_SIDE**2),
    )
    pixels = torch.zeros(3, IMAGE_SIZE, IMAGE_SIZE)
    of_image, image = count_flops(lambda: model.encode_image(pixels))
    of_regions, regions = count_flops(lambda: model.encode_regions(image, grids))
    before, (between, after) = prompt
    prefix = torch.cat([model.embed(before), image.tokens, model.embed(between)])
    branches = [torch.cat([region, model.embed(after)]) for region in regions]
    language = count_branches(model.language_model, prefix, branches, tokens, WAVE)
    return replace(language, vision=of_image + of_regions)


cost = on_meta(load, cost_of_query)
