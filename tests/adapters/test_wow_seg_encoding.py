"""Tiles and crops share batches of the vision tower, of bounded size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import adapters
from adapters.interface import Generation
from adapters.resampling import Resampler, resize_by_products
from adapters.wow_seg.adapter import WowSegRecognizer
from adapters.wow_seg.encoding import VISION_BATCH, encode_pictures
from adapters.wow_seg.preprocessing import RegionCrop
from tools.evaluate_tiny import as_drawn, question


@pytest.mark.parametrize("mode", ["single", "shared-prefix", "cascade"])
def test_answers_do_not_depend_on_what_resizes_the_pixels(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = adapters.load("wow-seg", "bundled:sm", device="cpu", multi_instance=mode)
    query, _ = question(0, as_drawn)
    wanted = recognizer.recognize([query], Generation(4))
    by_products = Resampler(torch.device("cpu"), resize_by_products)
    monkeypatch.setattr(Resampler, "beside", lambda device: by_products)
    assert recognizer.recognize([query], Generation(4)) == wanted


def test_batches_are_bounded_and_their_borders_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recognizer = adapters.load("wow-seg", "bundled:sm", device="cpu")
    assert isinstance(recognizer, WowSegRecognizer)
    context = recognizer.context
    query, _ = question(0, as_drawn)
    tiled = context.tile(query)
    crop = context.crop(tiled, query, 0)
    assert isinstance(crop, RegionCrop)
    tiles = tiled.tiles.repeat_interleave(VISION_BATCH - 1, dim=0)
    sizes: list[int] = []
    encode = context.model.encode

    def counting(pixels: torch.Tensor, *rest: Any) -> torch.Tensor:
        sizes.append(len(pixels))
        return encode(pixels, *rest)

    monkeypatch.setattr(context.model, "encode", counting)
    with torch.inference_mode():
        _, alone = encode_pictures(context.model, tiled.tiles[:0], [crop])
        sizes.clear()
        features, regions = encode_pictures(context.model, tiles, [crop] * (VISION_BATCH + 2))
    assert sizes == [VISION_BATCH, VISION_BATCH, 1]
    tokens = context.model.config.tokens_per_tile
    torch.testing.assert_close(features[:tokens], features[-tokens:], atol=1e-4, rtol=0)
    for region in regions:
        torch.testing.assert_close(region, alone[0], atol=1e-4, rtol=0)
