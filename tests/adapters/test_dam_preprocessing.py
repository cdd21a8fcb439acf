"""Focal crops, stretched masks and normalised pixels of DAM."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from adapters.dam.preprocessing import (
    LEAST_SIDE,
    focal_box,
    normalise,
    stretch,
    view_regions,
)
from adapters.masks import PixelBox, box_of_mask
from adapters.resampling import HOST, Resampler, resize_by_products

SIZE = 60


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@given(data=st.data(), width=st.integers(1, 900), height=st.integers(1, 900))
def test_a_focal_crop_holds_its_region_and_lies_in_the_picture(
    data: st.DataObject, width: int, height: int
) -> None:
    left = data.draw(st.integers(0, width - 1))
    top = data.draw(st.integers(0, height - 1))
    right = data.draw(st.integers(left + 1, width))
    bottom = data.draw(st.integers(top + 1, height))
    box = focal_box(PixelBox(left, top, right, bottom), width, height)
    assert 0 <= box.left <= left < right <= box.right <= width
    assert 0 <= box.top <= top < bottom <= box.bottom <= height
    assert box.right - box.left <= 3 * max(right - left, LEAST_SIDE)


def test_a_region_in_the_middle_gets_its_own_size_of_surroundings_on_every_side() -> None:
    assert focal_box(PixelBox(300, 200, 360, 250), 900, 700) == (240, 150, 420, 300)


def test_a_small_region_gets_the_surroundings_of_one_of_48_pixels() -> None:
    assert focal_box(PixelBox(300, 200, 302, 200 + 4), 900, 700) == (229, 130, 373, 274)


def test_a_start_outside_the_picture_is_rounded_towards_zero() -> None:
    # Centre 5.5 less half of 48 is -18.5; rounded down it would end the crop at 77.
    assert focal_box(PixelBox(0, 0, 11, 60), 600, 400).right == 78


def test_the_box_of_a_mask_ends_behind_its_last_pixels() -> None:
    mask = np.zeros((20, 30), dtype=np.bool_)
    mask[4, 7] = mask[9, 3] = True
    assert box_of_mask(mask) == (3, 4, 8, 10)


def test_masks_are_stretched_with_soft_edges() -> None:
    image = noise(200, 150)
    mask = np.zeros((150, 200), dtype=np.bool_)
    mask[40:90, 70:130] = True
    (view,) = view_regions(stretch(image, SIZE), [mask])
    assert view.focal
    assert view.mask.min() == view.crop_mask.min() == 0
    assert view.mask.max() == view.crop_mask.max() == 255
    assert len(set(view.mask.flatten().tolist())) > 2
    assert view.crop.shape == (3, SIZE, SIZE)


def test_a_crop_of_the_whole_picture_is_no_focal_crop() -> None:
    image = noise(100, 80)
    picture = stretch(image, SIZE)
    mask = np.zeros((80, 100), dtype=np.bool_)
    mask[20:70, 25:80] = True
    (view,) = view_regions(picture, [mask])
    assert not view.focal
    assert torch.equal(view.crop, picture.stretched)
    assert torch.equal(view.crop_mask, view.mask)


def test_pixels_decide_whether_a_crop_shows_anything_else_than_the_picture() -> None:
    grey = Image.new("RGB", (400, 400), "grey")
    whole = np.ones((400, 400), dtype=np.bool_)
    left = whole.copy()
    left[:, 30:] = False  # the crop is cut from the left, and its mask lies elsewhere in it
    views = view_regions(stretch(grey, SIZE), [whole, left])
    assert [view.focal for view in views] == [False, True]


def test_a_crop_that_looks_like_the_picture_is_no_focal_crop_wherever_it_is_cut() -> None:
    grey = Image.new("RGB", (400, 400), "grey")
    corners = np.zeros((400, 400), dtype=np.bool_)
    corners[130, 130] = corners[259, 259] = True  # too little to be seen at eight pixels a side
    assert focal_box(box_of_mask(corners), 400, 400) == (0, 0, 390, 390)
    (view,) = view_regions(stretch(grey, 8), [corners])
    assert not view.focal
    (view,) = view_regions(stretch(grey, SIZE), [corners])
    assert view.focal


def test_normalised_values_reach_from_minus_one_outside_to_one_inside() -> None:
    masks = torch.tensor([[[[0, 255], [51, 204]]]], dtype=torch.uint8)
    wanted = torch.tensor([[[[-1.0, 1.0], [-0.6, 0.6]]]])
    torch.testing.assert_close(normalise(masks, torch.float32), wanted)
    assert normalise(masks, torch.bfloat16).dtype is torch.bfloat16


masks = st.tuples(*[st.integers(0, 199)] * 4)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    corners=st.lists(masks, min_size=1, max_size=4),
    plain=st.booleans(),
)
def test_views_do_not_depend_on_what_resizes_them(
    width: int, height: int, corners: list[tuple[int, int, int, int]], plain: bool
) -> None:
    image = Image.new("RGB", (width, height), "olive") if plain else noise(width, height)
    regions = []
    for x, y, other_x, other_y in corners:
        region = np.zeros((height, width), dtype=np.bool_)
        (left, right), (top, bottom) = (
            sorted((one % side, other % side))
            for one, other, side in ((x, other_x, width), (y, other_y, height))
        )
        region[top : bottom + 1, left : right + 1] = True
        regions.append(region)
    by_pillow = stretch(image, SIZE, HOST)
    by_products = stretch(image, SIZE, Resampler(torch.device("cpu"), resize_by_products))
    assert torch.equal(by_products.stretched, by_pillow.stretched)
    wanted, found = view_regions(by_pillow, regions), view_regions(by_products, regions)
    for one, other in zip(wanted, found, strict=True):
        for pixels, same in zip(one[:3], other[:3], strict=True):
            assert torch.equal(pixels, same)
        assert one.focal == other.focal
