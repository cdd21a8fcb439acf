"""Computed cost of a DAM query; see :mod:`adapters.costs`."""

from __future__ import annotations

from dataclasses import replace

import torch

from adapters.costs import (
    PhaseCosts,
    check_context,
    count_flops,
    count_rows,
    in_sequence,
    on_meta,
)
from adapters.dam import ENTRY
from adapters.dam.adapter import WAVE, DamRecognizer, load
from adapters.dam.encoding import encode_regions
from adapters.dam.preprocessing import RegionView


@torch.inference_mode()
def cost_of_query(
    recognizer: DamRecognizer, instances: int, tokens: int, size: tuple[int, int]
) -> PhaseCosts:
    """Cost of one query.

    Args:
        recognizer: with its network on any device.
        instances: regions, each with a focal crop; a region has none only where it and its
            surroundings fill the picture.
        tokens: new tokens of every answer.
        size: width and height of the picture in pixels, which change nothing.
    """
    waves = [min(WAVE, instances - start) for start in range(0, instances, WAVE)]
    return in_sequence(*(_cost_of_wave(recognizer, regions, tokens) for regions in waves))


cost = on_meta(load, cost_of_query)


def _cost_of_wave(recognizer: DamRecognizer, regions: int, tokens: int) -> PhaseCosts:
    model = recognizer.model
    prompt = recognizer.prompter.prompt(recognizer.card.prompts[ENTRY.tasks[0]])
    positions = prompt.length(model.config.image_tokens)
    check_context(positions, tokens, model.config.max_positions)
    side = model.config.vision.image_size
    picture = torch.zeros(3, side, side, dtype=torch.uint8)
    mask = torch.zeros(1, side, side, dtype=torch.uint8)
    view = RegionView(mask, picture, mask, focal=True)
    vision, seen = count_flops(lambda: encode_regions(model, picture, [view] * regions))
    beginnings = model.follow(seen[:, None], prompt.pieces[1:])
    language = count_rows(model.llm, model.embed(prompt.pieces[0]), beginnings, tokens)
    return replace(language, vision=vision)
