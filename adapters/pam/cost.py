"""Computed cost of a PAM query; see :mod:`adapters.costs`."""

from __future__ import annotations

from dataclasses import replace

import torch
from PIL import Image

from adapters.costs import (
    PhaseCosts,
    check_context,
    count_flops,
    count_rows,
    in_sequence,
    on_meta,
)
from adapters.interface import RegionQuery
from adapters.masks import PixelBox
from adapters.pam import ENTRY
from adapters.pam.adapter import PamRecognizer, load


@torch.inference_mode()
def cost_of_query(
    recognizer: PamRecognizer, instances: int, tokens: int, size: tuple[int, int]
) -> PhaseCosts:
    """Cost of one query.

    Args:
        recognizer: with its network on any device.
        instances: regions.
        tokens: new tokens of every answer.
        size: width and height of the picture in pixels, which change nothing.
    """
    query = RegionQuery("blank", Image.new("RGB", size), None, [], None, [], ENTRY.tasks[0])
    prompt = recognizer.prompt(query)
    check_context(prompt.length, tokens, recognizer.model.config.context)
    boxes = [PixelBox(0, 0, 1, 1)] * instances
    vision, waves = count_flops(lambda: list(recognizer.waves(query, prompt, boxes)))
    language_model = recognizer.model.language_model
    decoded = [count_rows(language_model, wave.prefix, wave.prompts, tokens) for wave in waves]
    return replace(in_sequence(*decoded), vision=vision)


cost = on_meta(load, cost_of_query)
