"""Masks as outlines, drawn again and compared."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.draw import polygon2mask

from reports.outlines import TENTHS, outline

Mask = NDArray[np.bool_]
FINENESS = 4  # pixels of the drawing to one of the thumbnail


def loops(path: str) -> list[NDArray[np.float64]]:
    """The path's closed lines ``[points, 2]`` as x, y in the thumbnail's pixels."""
    found, at = [], np.zeros(2)
    assert re.fullmatch(r"M0 0(m[-\d ]+l[-\d ]+z)*", path)
    for start, steps in re.findall(r"m([-\d ]+)l([-\d ]+)z", path):
        numbers = [int(n) for n in re.findall(r"-?\d+", f"{start} {steps}")]
        points = at + np.cumsum(np.reshape(numbers, (-1, 2)), axis=0)
        found.append(points / TENTHS)
        at = points[0]
    return found


def drawn(path: str, width: int, height: int) -> Mask:
    """The path filled by the even-odd rule, ``FINENESS`` times as fine as the thumbnail."""
    filled = np.zeros((height * FINENESS, width * FINENESS), dtype=np.bool_)
    for points in loops(path):
        filled ^= polygon2mask(filled.shape, points[:, ::-1] * FINENESS - 0.5)
    return filled


def overlap(one: Mask, other: Mask) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


def blob(seed: int, *, parts: bool) -> Mask:
    """A smooth random shape in a picture of 640×480; with several parts and holes."""
    random = np.random.default_rng(seed)
    field = gaussian_filter(random.normal(size=(480, 640)), random.uniform(40, 70))
    if not parts:
        y, x = np.ogrid[:480, :640]
        away = np.hypot(x - random.uniform(200, 440), y - random.uniform(150, 330))
        return np.asarray(away < random.uniform(40, 140) * (1 + 20 * field))
    return np.asarray(field > np.quantile(field, random.uniform(0.6, 0.9)))


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_an_outline_covers_what_the_mask_covers(seed: int, parts: bool) -> None:
    mask = blob(seed, parts=parts)
    path = outline(mask, 0.5)
    exact = np.kron(mask, np.ones((FINENESS // 2, FINENESS // 2), dtype=np.bool_))
    assert overlap(drawn(path, 320, 240), exact) >= 0.93
    assert sum(map(len, loops(path))) <= 60 + 16 * (len(loops(path)) - 1)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.1])
def test_a_rectangle_has_its_four_corners(scale: float) -> None:
    mask = np.zeros((100, 200), dtype=np.bool_)
    mask[20:80, 40:160] = True
    (corners,) = loops(outline(mask, scale))
    expected = {(40, 20), (160, 20), (160, 80), (40, 80)}
    assert {tuple(np.rint(corner / scale)) for corner in corners} == expected


def test_a_hole_and_a_second_part_are_kept() -> None:
    mask = np.zeros((100, 200), dtype=np.bool_)
    mask[10:90, 10:90] = True
    mask[30:60, 30:60] = False
    mask[20:40, 150:180] = True
    path = outline(mask, 1.0)
    assert len(loops(path)) == 3
    exact = np.kron(mask, np.ones((FINENESS, FINENESS), dtype=np.bool_))
    assert overlap(drawn(path, 200, 100), exact) > 0.99


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.08])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1)])
def test_the_smallest_mask_can_be_seen_where_it_is(shape: tuple[int, int], scale: float) -> None:
    mask = np.zeros((200, 300), dtype=np.bool_)
    mask[100 : 100 + shape[0], 150 : 150 + shape[1]] = True
    (corners,) = loops(outline(mask, scale))
    assert np.ptp(corners, axis=0).min() > 0.99
    middle = np.array([150 + shape[1] / 2, 100 + shape[0] / 2]) * scale
    assert np.abs((corners.min(axis=0) + corners.max(axis=0)) / 2 - middle).max() <= 0.1


def test_parts_that_touch_at_a_corner_are_both_there() -> None:
    mask = np.zeros((40, 40), dtype=np.bool_)
    mask[0:20, 0:20] = mask[20:40, 20:40] = True
    exact = np.kron(mask, np.ones((FINENESS, FINENESS), dtype=np.bool_))
    assert overlap(drawn(outline(mask, 1.0), 40, 40), exact) > 0.98


def test_an_empty_mask_has_no_outline() -> None:
    assert outline(np.zeros((30, 40), dtype=np.bool_), 0.5) == ""


def test_a_mask_of_the_whole_picture_is_its_frame() -> None:
    assert outline(np.ones((480, 640), dtype=np.bool_), 0.5) == ("M0 0m0 0l3200 0 0 2400-3200 0z")


@pytest.mark.parametrize("density", [0.02, 0.3, 0.5, 0.98])
def test_a_speckled_mask_has_a_short_outline(density: float) -> None:
    mask = np.random.default_rng(0).random((700, 900)) < density
    assert 0 < len(outline(mask, 0.35)) < 6000
