"""What a generic model is shown of a region: the crop, and the outline on the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from adapters.masks import BoolMask
from adapters.vlm.preprocessing import (
    RED,
    SMALLEST_SIDE,
    crop_region,
    line_width,
    outline,
    outline_region,
    show_region,
)
from adapters.vlm.settings import Settings

PHOTO = Image.fromarray(data.chelsea())  # 451 x 300
WIDTH, HEIGHT = PHOTO.size
CROP, OUTLINE = Settings.read({}), Settings.read({"region_prompt": "outline"})


def rectangle(top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def assert_same(found: Image.Image, box: tuple[int, int, int, int]) -> None:
    assert np.array_equal(np.asarray(found), np.asarray(PHOTO.crop(box)))


def test_the_crop_is_the_masks_box() -> None:
    assert_same(crop_region(PHOTO, rectangle(50, 60, 200, 300), 1.0), (60, 50, 300, 200))
    ring = rectangle(50, 60, 200, 300) & ~rectangle(51, 61, 199, 299)
    assert_same(crop_region(PHOTO, ring, 1.0), (60, 50, 300, 200))


def test_a_wider_crop_keeps_its_centre_and_proportions() -> None:
    assert_same(crop_region(PHOTO, rectangle(100, 200, 140, 260), 1.5), (185, 90, 275, 150))


def test_a_crop_that_would_leave_the_picture_is_moved_and_then_cut() -> None:
    assert_same(crop_region(PHOTO, rectangle(0, 0, 50, 60), 2.0), (0, 0, 120, 100))
    last = rectangle(HEIGHT - 50, WIDTH - 60, HEIGHT, WIDTH)
    assert_same(crop_region(PHOTO, last, 2.0), (WIDTH - 120, HEIGHT - 100, WIDTH, HEIGHT))
    whole = rectangle(0, 0, HEIGHT, WIDTH)
    assert_same(crop_region(PHOTO, whole, 3.0), (0, 0, WIDTH, HEIGHT))


def test_thin_and_tiny_masks_get_a_crop_a_processor_can_read() -> None:
    assert crop_region(PHOTO, rectangle(150, 200, 151, 201), 1.0).size == (32, 32)
    assert crop_region(PHOTO, rectangle(0, 225, HEIGHT, 226), 1.0).size == (32, HEIGHT)
    assert_same(crop_region(PHOTO, rectangle(0, 0, 1, 1), 1.0), (0, 0, 32, 32))


@pytest.mark.parametrize("settings", [CROP, OUTLINE], ids=["crop", "outline"])
def test_a_picture_of_a_few_pixels_is_enlarged(settings: Settings) -> None:
    small = PHOTO.resize((20, 3))
    mask = np.ones((3, 20), dtype=np.bool_)
    assert show_region(small, mask, settings).size == (213, SMALLEST_SIDE)


def test_pictures_of_any_mode_are_shown_in_colour() -> None:
    grey, mask = PHOTO.convert("LA"), rectangle(50, 60, 200, 300)
    assert show_region(grey, mask, CROP).mode == "RGB"
    drawn = np.asarray(show_region(grey, mask, OUTLINE))
    assert (drawn == RED).all(axis=-1).any()


def is_near(mask: BoolMask, others: BoolMask, distance: float) -> BoolMask:
    """Whether some pixel of ``others`` is nearer than ``distance``, looked up one by one."""
    rows, columns = np.indices(mask.shape)
    near = np.zeros_like(mask)
    for row, column in np.argwhere(others):
        near |= np.hypot(rows - row, columns - column) < distance
    return near


@given(
    bits=st.lists(st.booleans(), min_size=132, max_size=132).filter(any),
    width=st.integers(2, 6),
)
def test_the_outline_is_what_its_definition_says(bits: list[bool], width: int) -> None:
    mask = np.array(bits).reshape(11, 12)
    border = mask.copy()
    border[1:-1, 1:-1] = False
    expected = ~mask & is_near(mask, mask, width + 1e-9)
    expected |= mask & is_near(mask, border, width / 2)
    assert np.array_equal(outline(mask, width), expected)


def test_the_outline_hides_nothing_of_a_region_inside_the_picture() -> None:
    mask = rectangle(100, 200, 102, 203)
    drawn = np.asarray(outline_region(PHOTO, mask))
    assert np.array_equal(drawn[mask], np.asarray(PHOTO)[mask])
    changed = (drawn != np.asarray(PHOTO)).any(axis=-1)
    assert np.array_equal(changed, outline(mask, line_width(PHOTO)))
    assert (drawn[changed] == RED).all()


def test_a_region_that_fills_the_picture_is_framed() -> None:
    line = outline(rectangle(0, 0, HEIGHT, WIDTH), 4)
    inner = rectangle(2, 2, HEIGHT - 2, WIDTH - 2)
    assert np.array_equal(line, ~inner)


def test_holes_and_parts_are_outlined_too() -> None:
    ring = rectangle(100, 100, 200, 200) & ~rectangle(140, 140, 160, 160)
    line = outline(ring | rectangle(10, 10, 20, 20), 3)
    assert line[150, 141]
    assert not line[150, 150]
    assert line[15, 8]
    assert not line[15, 15]


def test_the_line_is_as_wide_as_the_picture_is_large() -> None:
    assert [line_width(PHOTO.resize(size)) for size in [(64, 64), (640, 480), (1024, 2048)]] == [
        2,
        4,
        14,
    ]
