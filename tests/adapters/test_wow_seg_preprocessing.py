"""Tiles, crop boxes and token masks are exactly the official code's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from adapters.interface import RLE
from adapters.masks import decode_rle
from adapters.pixels import normalise
from adapters.resampling import HOST, Resampler, resize_by_products
from adapters.wow_seg.configuration import VisionConfig, WowSegConfig
from adapters.wow_seg.preprocessing import (
    RegionTokens,
    choose_grid,
    crop_interval,
    crop_region,
    nearest_index,
    tile_image,
)
from tests.adapters import wow_seg_goldens as golden

BY_PRODUCTS = Resampler(torch.device("cpu"), resize_by_products)
SMALL = WowSegConfig(vision=VisionConfig(image_size=128, patch_size=8))


@pytest.mark.parametrize("image", golden.images(), ids=lambda image: image["id"])
def test_tiles_are_the_official_ones(image: golden.Case) -> None:
    tiled = tile_image(golden.picture(image), image["max_num"], golden.model().config)
    assert len(tiled.tiles) == image["num_tiles"]
    assert list(tiled.size) == image["resized_size"]
    sample = normalise(tiled.tiles, torch.float32)[:, :, ::56, ::56]
    wanted = golden.expected()[f"{image['id']}/pixel_sample"]
    assert golden.largest_difference(sample, wanted) < 1e-6


@pytest.mark.parametrize("image", golden.images(), ids=lambda image: image["id"])
def test_crops_and_token_masks_are_the_official_ones(image: golden.Case) -> None:
    config = golden.model().config
    tiled = tile_image(golden.picture(image), image["max_num"], config)
    for i, mask in enumerate(golden.masks(image)):
        crop = crop_region(tiled, mask, config, image["scale"])
        assert crop is not None
        assert list(crop.box) == image["masks"][i]["crop_box"]
        wanted = golden.expected()[f"{image['id']}/{i}/token_mask"].bool()
        assert torch.equal(torch.from_numpy(crop.keep), wanted)
        sample = normalise(crop.pixels[None], torch.float32)[0, :, ::56, ::56]
        wanted = golden.expected()[f"{image['id']}/{i}/crop_pixel_sample"]
        assert golden.largest_difference(sample, wanted) < 1e-6


@pytest.mark.parametrize(
    "geometry",
    golden.cases()["geometry"],
    ids=lambda g: f"{g['image']}-{g['max_num']}-{g['scale']}",
)
def test_boxes_and_token_counts_follow_tile_limit_and_scale(geometry: golden.Case) -> None:
    config = golden.model().config
    image = next(i for i in golden.images() if i["id"] == geometry["image"])
    tiled = tile_image(golden.picture(image), geometry["max_num"], config)
    assert len(tiled.tiles) == geometry["num_tiles"]
    assert list(tiled.size) == geometry["resized_size"]
    for mask, wanted in zip(golden.masks(image), geometry["masks"], strict=True):
        crop = crop_region(tiled, mask, config, geometry["scale"])
        assert crop is not None
        assert (list(crop.box), int(crop.keep.sum())) == (wanted["box"], wanted["count"])


@pytest.mark.parametrize("case", golden.cases()["empty_after_resize"], ids=lambda c: c["image"])
def test_a_mask_that_vanishes_in_the_resize_gives_no_crop(case: golden.Case) -> None:
    config = golden.model().config
    image = next(i for i in golden.images() if i["id"] == case["image"])
    tiled = tile_image(golden.picture(image), case["max_num"], config)
    mask = decode_rle(RLE(tuple(case["rle"]["size"]), case["rle"]["counts"]))
    assert mask.any()
    assert crop_region(tiled, mask, config, case["scale"]) is None


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((640, 480), (4, 3)),
        ((480, 640), (3, 4)),
        ((300, 300), (1, 1)),
        ((634, 634), (2, 2)),
        ((1000, 90), (11, 1)),
    ],
)
def test_grid_is_nearest_in_aspect_and_larger_for_larger_pictures(
    size: tuple[int, int], grid: tuple[int, int]
) -> None:
    assert choose_grid(*size, 12, 448) == grid


@pytest.mark.parametrize(
    ("mask", "wanted", "interval"),
    [
        ((0, 0), 2, (0, 1)),  # clamped, and yet as long as wanted
        ((59, 59), 2, (58, 59)),
        ((0, 0), 4, (0, 4)),  # too short once clamped, and lengthened to a pixel more
        ((59, 59), 4, (55, 59)),
        ((30, 30), 2, (29, 31)),
        ((20, 39), 50, (4, 54)),
        ((20, 39), 90, (0, 59)),
    ],
)
def test_a_crop_is_lengthened_only_where_it_is_shorter_than_wanted(
    mask: tuple[int, int], wanted: int, interval: tuple[int, int]
) -> None:
    assert crop_interval(*mask, np.float32(wanted), 60) == interval


@pytest.mark.parametrize(("size", "out"), [(248, 448), (480, 1792), (349, 1344), (1344, 16)])
def test_nearest_resizing_is_torchs(size: int, out: int) -> None:
    source = torch.arange(size, dtype=torch.float32)[None, None]
    wanted = torch.nn.functional.interpolate(source, out, mode="nearest")[0, 0]
    assert nearest_index(size, out).tolist() == wanted.long().tolist()


def test_small_models_get_small_tiles_and_grids() -> None:
    image = Image.new("RGB", (64, 48))
    tiled = tile_image(image, 12, SMALL)
    assert tiled.tiles.shape == (13, 128, 128, 3)
    mask = np.zeros((48, 64), dtype=np.bool_)
    mask[10:20, 10:20] = True
    crop = crop_region(tiled, mask, SMALL)
    assert crop is not None
    assert crop.pixels.shape == (128, 128, 3)
    assert crop.keep.shape == (8, 8)


def test_a_full_image_mask_keeps_every_token() -> None:
    tiled = tile_image(Image.new("RGB", (60, 30)), 4, SMALL)
    crop = crop_region(tiled, np.ones((30, 60), dtype=np.bool_), SMALL)
    assert crop is not None
    assert crop.box == (0, 0, *tiled.size)
    assert crop.keep.all()


@pytest.mark.parametrize("corner", [(0, 0), (0, 59), (29, 0), (29, 59)])
def test_one_pixel_in_a_corner_is_cropped_inside_the_picture(corner: tuple[int, int]) -> None:
    tiled = tile_image(Image.new("RGB", (60, 30)), 4, SMALL)
    mask = np.zeros((30, 60), dtype=np.bool_)
    mask[corner] = True
    crop = crop_region(tiled, mask, SMALL)
    assert crop is not None
    width, height = tiled.size
    assert 0 <= crop.box.left < crop.box.right <= width
    assert 0 <= crop.box.top < crop.box.bottom <= height
    assert crop.keep.any()


@pytest.mark.parametrize("region_tokens", [RegionTokens.FORE2TOKEN, RegionTokens.BLUR2TOKEN])
def test_pixel_prompts_keep_all_tokens_and_change_only_the_background(
    region_tokens: RegionTokens,
) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (128, 128, 3), dtype=np.uint8))
    tiled = tile_image(image, 1, SMALL)
    mask = np.zeros((128, 128), dtype=np.bool_)
    mask[:, :64] = True
    plain = crop_region(tiled, mask, SMALL)
    changed = crop_region(tiled, mask, SMALL, region_tokens=region_tokens)
    assert plain is not None
    assert changed is not None
    assert changed.keep.all()
    assert (changed.pixels[:, :64] == plain.pixels[:, :64]).all()
    assert (changed.pixels[:, 64:] != plain.pixels[:, 64:]).float().mean() > 0.9
    if region_tokens is RegionTokens.FORE2TOKEN:
        assert (changed.pixels[:, 64:] == 255).all()
    else:
        assert changed.pixels[:, 72:].float().std() < 0.3 * plain.pixels[:, 72:].float().std()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    tiles=st.sampled_from([1, 4, 12]),
    scale=st.sampled_from([1.0, 2.0, 3.5]),
    region_tokens=st.sampled_from(RegionTokens),
)
def test_tiles_and_crops_do_not_depend_on_what_resizes_them(
    data: st.DataObject,
    width: int,
    height: int,
    tiles: int,
    scale: float,
    region_tokens: RegionTokens,
) -> None:
    rng = np.random.default_rng(width * 1000 + height)
    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    left, right = sorted(data.draw(st.tuples(*[st.integers(0, width - 1)] * 2)))
    top, bottom = sorted(data.draw(st.tuples(*[st.integers(0, height - 1)] * 2)))
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[top : bottom + 1, left : right + 1] = True
    by_pillow, by_products = (
        tile_image(image, tiles, SMALL, resampler) for resampler in (HOST, BY_PRODUCTS)
    )
    assert torch.equal(by_products.resized, by_pillow.resized)
    assert torch.equal(by_products.tiles, by_pillow.tiles)
    wanted, found = (
        crop_region(tiled, mask, SMALL, scale, region_tokens) for tiled in (by_pillow, by_products)
    )
    assert (wanted is None) == (found is None)
    if wanted is not None and found is not None:
        assert torch.equal(found.pixels, wanted.pixels)
        assert np.array_equal(found.keep, wanted.keep)
        assert found.box == wanted.box
