"""Reading a query's masks and keeping its answers in order, shared by every adapter."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from adapters.interface import Answer, RegionQuery
from adapters.masks import BoolMask, MaskError, decode_for


def read_mask(query: RegionQuery, index: int) -> BoolMask | Answer:
    """Decode one region's mask.

    Returns:
        bool ``[height, width]``, or the answer of a region that cannot be asked: ``errored``
        where the mask is damaged or not of its picture's size, ``unanswerable`` where it is
        empty.
    """
    try:
        mask = decode_for(query.masks[index], query.image.size)
    except MaskError as error:
        return Answer.errored(
            f"image {query.image_id!r}, region {query.region_ids[index]!r}: {error}"
        )
    return mask if mask.any() else Answer.unanswerable("the mask is empty")


def too_long(prompt_tokens: int, new_tokens: int, limit: int, advice: str) -> Answer | None:
    """The answer of a region whose prompt leaves no room for one, ``None`` where it does.

    Args:
        prompt_tokens: positions of the prompt.
        new_tokens: positions of the answers behind it.
        limit: positions the language model has.
        advice: what to change, for the message.
    """
    if prompt_tokens + new_tokens <= limit:
        return None
    return Answer.errored(
        f"a prompt of {prompt_tokens} positions and up to {new_tokens} answer positions exceed "
        f"the model's context of {limit}; {advice}"
    )


def logits_table(rows: Sequence[torch.Tensor | None], vocab_size: int) -> torch.Tensor:
    """Stack logits to float32 ``[regions, vocabulary]`` on the CPU, NaN where not asked."""
    missing = torch.full((vocab_size,), torch.nan)
    told = [missing if row is None else row.float().cpu() for row in rows]
    return torch.stack(told) if told else torch.zeros(0, vocab_size)
