"""Computed cost of a WOW-Seg query; see :mod:`adapters.costs`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from adapters.costs import (
    PhaseCosts,
    check_context,
    count_branches,
    count_flops,
    count_steps,
    in_sequence,
    key_value_bytes,
    on_meta,
)
from adapters.decoding import CachedSequence
from adapters.masks import PixelBox
from adapters.wow_seg import ENTRY
from adapters.wow_seg.adapter import WowSegRecognizer, load
from adapters.wow_seg.cascade import CascadeSequence
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.cutting import kept_tokens
from adapters.wow_seg.encoding import encode_pictures
from adapters.wow_seg.preprocessing import RegionCrop, tile_image
from adapters.wow_seg.prompting import Prompt
from adapters.wow_seg.settings import MultiInstance
from adapters.wow_seg.shared_prefix import WAVE

_WRITTEN = 1  # the token all answers consist of; any but the collator's padding


@torch.inference_mode()
def cost_of_query(
    context: ModelContext, instances: int, tokens: int, size: tuple[int, int], region_tokens: int
) -> PhaseCosts:
    """Cost of one query.

    Args:
        context: the network, on any device.
        instances: regions.
        tokens: new tokens of every answer.
        size: width and height of the picture in pixels.
        region_tokens: tokens of its crop that each region keeps.
    """
    match context.settings.multi_instance:
        case MultiInstance.SINGLE:
            one = _single(context, tokens, size, region_tokens)
            return in_sequence(*[one] * instances)
        case MultiInstance.SHARED_PREFIX:
            return _shared_prefix(context, instances, tokens, size, region_tokens)
        case MultiInstance.CASCADE:
            return _cascade(context, instances, tokens, size, region_tokens)


def _cost_of_usual_regions(
    recognizer: WowSegRecognizer, instances: int, tokens: int, size: tuple[int, int]
) -> PhaseCosts:
    """Every region keeps as many tokens as :func:`~adapters.wow_seg.cutting.cut` says."""
    context = recognizer.context
    kept = kept_tokens(context.settings, context.model.config)
    return cost_of_query(context, instances, tokens, size, kept)


cost = on_meta(load, _cost_of_usual_regions)


def _single(
    context: ModelContext, tokens: int, size: tuple[int, int], region_tokens: int
) -> PhaseCosts:
    vision, tiles = _encode(context, 1, size, region_tokens)
    prompt = context.prompter.prompt(_template(context), len(tiles), [region_tokens])
    length = len(prompt.input_ids)
    _check(context, prompt, tokens)
    sequence = CachedSequence(context.model.language_model)
    embeddings = _blank(tiles, length)
    read = count_flops(lambda: sequence.logits(sequence.prefill(embeddings)[-1:]))

    def step(_: int) -> None:
        position = torch.tensor([len(sequence)])
        sequence.logits(sequence.append(sequence.embed([_WRITTEN]), position))

    return PhaseCosts(
        vision,
        read.flops,
        count_steps(step, tokens - 1),
        key_value_bytes(context.model.language_model, length + tokens - 1),
    )


def _shared_prefix(
    context: ModelContext, instances: int, tokens: int, size: tuple[int, int], region_tokens: int
) -> PhaseCosts:
    vision, tiles = _encode(context, instances, size, region_tokens)
    prompt = context.prompter.prompt(_template(context), len(tiles), [region_tokens])
    _check(context, prompt, tokens)
    prefix = prompt.runs[1].start
    branch = _blank(tiles, len(prompt.input_ids) - prefix)
    language = count_branches(
        context.model.language_model, _blank(tiles, prefix), [branch] * instances, tokens, WAVE
    )
    return replace(language, vision=vision)


def _cascade(
    context: ModelContext, instances: int, tokens: int, size: tuple[int, int], region_tokens: int
) -> PhaseCosts:
    """Answers follow each other, and all but the last are read to their separator."""
    vision, tiles = _encode(context, instances, size, region_tokens)
    prompt = context.prompter.prompt(_template(context), len(tiles), [region_tokens] * instances)
    _check(context, prompt, instances * (tokens + 1))
    embeddings = _blank(tiles, len(prompt.input_ids))

    def read() -> CascadeSequence:
        variant = context.settings.cascade
        sequence = CascadeSequence(context.model, prompt, embeddings, variant)
        sequence.logits()
        return sequence

    prefill, sequence = count_flops(read)
    written = instances * (tokens + 1) - 1

    def write(place: int) -> None:
        sequence.write(_WRITTEN, place // (tokens + 1))
        sequence.logits()

    return PhaseCosts(
        vision,
        prefill,
        count_steps(write, written),
        key_value_bytes(context.model.language_model, len(embeddings) + written),
    )


def _encode(
    context: ModelContext, instances: int, size: tuple[int, int], region_tokens: int
) -> tuple[int, torch.Tensor]:
    """Operations of encoding the picture and its regions, and the picture's tokens."""
    config = context.model.config
    tiles = tile_image(Image.new("RGB", size), context.settings.max_tiles, config).tiles
    keep = np.arange(config.tokens_per_tile).reshape(config.grid, -1) < region_tokens
    side = config.image_size
    blank = torch.zeros(side, side, 3, dtype=torch.uint8)
    crops = [RegionCrop(blank, keep, PixelBox(0, 0, side, side))] * instances
    flops, (tokens, _) = count_flops(lambda: encode_pictures(context.model, tiles, crops))
    return flops, tokens


def _blank(tokens: torch.Tensor, length: int) -> torch.Tensor:
    """Embeddings ``[length, hidden]`` of the type and device of ``tokens``."""
    return tokens.new_zeros(length, tokens.shape[1])


def _template(context: ModelContext) -> str:
    return context.settings.template(ENTRY.tasks[0])


def _check(context: ModelContext, prompt: Prompt, new: int) -> None:
    limit = context.model.config.language.max_position_embeddings
    check_context(len(prompt.input_ids), new, limit)
