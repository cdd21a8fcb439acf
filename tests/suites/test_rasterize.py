from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pycocotools.mask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from adapters.interface import RLE
from suites.base import DataInvalid, SuiteOptionError
from suites.rasterize import (
    Rasterizer,
    area,
    odd_polygons,
    require_rasterizer,
    run_lengths,
    to_rle,
)
from tests.suites.annotation_files import HEIGHT, SQUARE, TRIANGLE, WIDTH, compressed, left_half


def rasterized(segmentation: object, **options: Any) -> RLE:
    return to_rle(segmentation, WIDTH, HEIGHT, "annotation 7", **options)


def pixels(rle: RLE) -> NDArray[np.bool_]:
    decoded = pycocotools.mask.decode({"size": list(rle.size), "counts": rle.counts})
    return np.asarray(decoded, dtype=bool)


def test_polygons_of_one_region_are_merged_by_pycocotools() -> None:
    parts = pycocotools.mask.frPyObjects([SQUARE, TRIANGLE], HEIGHT, WIDTH)
    expected = pycocotools.mask.decode(pycocotools.mask.merge(parts)).astype(bool)

    assert np.array_equal(pixels(rasterized([SQUARE, TRIANGLE])), expected)
    assert expected.sum() > 20


def test_uncompressed_and_compressed_rle_give_the_same_mask() -> None:
    runs = [0, HEIGHT * WIDTH // 2, HEIGHT * WIDTH // 2]  # column by column from the left
    uncompressed = rasterized({"size": [HEIGHT, WIDTH], "counts": runs})

    assert np.array_equal(pixels(uncompressed), left_half())
    assert rasterized(compressed(left_half())) == uncompressed


@given(hnp.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_run_lengths_are_those_of_the_encoded_mask(mask: NDArray[np.bool_]) -> None:
    runs = run_lengths(compressed(mask)["counts"], "")

    values = np.arange(runs.size) % 2 == 1
    assert np.array_equal(np.repeat(values, runs), mask.ravel(order="F"))


@given(hnp.arrays(bool, (6, 9)), st.integers(0, 200))
def test_cut_off_rle_never_becomes_a_mask(mask: NDArray[np.bool_], keep: int) -> None:
    whole = compressed(mask)
    cut = whole["counts"][: keep % len(whole["counts"])]

    with pytest.raises(DataInvalid):
        to_rle({"size": [6, 9], "counts": cut}, 9, 6, "annotation 7")


@given(st.text(max_size=30))
def test_any_text_is_either_a_mask_of_the_pictures_size_or_refused(counts: str) -> None:
    try:
        rle = rasterized({"size": [HEIGHT, WIDTH], "counts": counts})
    except DataInvalid:
        return
    assert pixels(rle).shape == (HEIGHT, WIDTH)
    assert area(rle) == pixels(rle).sum()


def test_rle_of_another_size_than_its_picture_is_refused_by_name() -> None:
    turned = {"size": [WIDTH, HEIGHT], "counts": compressed(left_half().T)["counts"]}

    with pytest.raises(DataInvalid, match=r"annotation 7: .*\[12, 8\].*\[8, 12\]"):
        rasterized(turned)


def test_an_empty_mask_is_a_mask() -> None:
    nothing = rasterized(compressed(np.zeros((HEIGHT, WIDTH), dtype=bool)))

    assert area(nothing) == 0


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ([[1.0, 1.0, float("nan"), 5.0, 2.0, 2.0]], "not finite"),
        ([[1.0, 1.0, float("inf"), 5.0, 2.0, 2.0]], "not finite"),
        ([[1.0, 1.0, 1e12, 5.0, 2.0, 2.0]], "far outside"),
        ([[1.0, 1.0, "x", 5.0, 2.0, 2.0]], "else than numbers"),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], r"not a list.*; a list of polygons \[\[x, y, x"),
        ([[[1, 2], [3, 4], [5, 6]]], r"else than numbers; a list of polygons \[\[x, y, x"),
        ([["1", "2", "3", "4", "5", "6"]], "else than numbers"),
        ([[True, 1, 6, 1, 6, 5]], "else than numbers"),
        ([[1, 1, 10**400, 5, 2, 2]], "not finite"),
        ({"size": [WIDTH, HEIGHT], "counts": "04"}, r"size is \[height, width\], but .*write"),
        ({"size": [[WIDTH]], "counts": "04"}, "size a list of 1 "),
        ({"size": [HEIGHT, WIDTH], "counts": "\ud800"}, "damaged"),
        ([], "neither polygons nor RLE"),
        (None, "neither polygons nor RLE"),
        ({"counts": "04"}, "size None"),
        ({"size": [HEIGHT, WIDTH]}, "neither a text nor"),
        ({"size": [HEIGHT, WIDTH], "counts": [90]}, "covers 90 pixels"),
        ({"size": [HEIGHT, WIDTH], "counts": [100, -4]}, "whole numbers"),
        ({"size": [HEIGHT, WIDTH], "counts": "é"}, "damaged"),
    ],
)
def test_what_cannot_be_a_mask_is_refused_with_the_reason(
    segmentation: object, reason: str
) -> None:
    with pytest.raises(DataInvalid, match=f"annotation 7: .*{reason}"):
        rasterized(segmentation)


@pytest.mark.parametrize(
    "polygons",
    [
        [SQUARE, TRIANGLE[:4]],
        [SQUARE, TRIANGLE[:2], TRIANGLE[:3], TRIANGLE[:1], []],
        [[*SQUARE, 9.0]],
        [TRIANGLE[:5], SQUARE],
        [TRIANGLE[:5]],
    ],
)
def test_odd_polygons_become_what_pycocotools_makes_of_them(polygons: list[list[float]]) -> None:
    parts = pycocotools.mask.frPyObjects(polygons, HEIGHT, WIDTH)
    expected = pycocotools.mask.merge(parts)["counts"].decode()

    assert rasterized(polygons).counts == expected
    assert odd_polygons(polygons) == sum(p not in (SQUARE, TRIANGLE) for p in polygons)


@pytest.mark.parametrize("first", [[], TRIANGLE[:1], TRIANGLE[:2], TRIANGLE[:4]])
def test_short_polygons_that_pycocotools_refuses_are_left_out(first: list[float]) -> None:
    with pytest.raises(Exception, match=r"incorrect type|not supported"):
        pycocotools.mask.frPyObjects([first, SQUARE], HEIGHT, WIDTH)

    assert rasterized([first, SQUARE]) == rasterized([SQUARE])
    assert area(rasterized([first])) == 0
    assert odd_polygons([first, SQUARE]) == 1


def test_opencv_leaves_short_polygons_out() -> None:
    pytest.importorskip("cv2", exc_type=ImportError)
    options = {"rasterizer": Rasterizer.OPENCV}

    whole = rasterized([SQUARE], **options)
    assert rasterized([TRIANGLE[:4], SQUARE, TRIANGLE[:5], []], **options) == whole
    assert rasterized([[*SQUARE, 9.0]], **options) == whole
    assert area(rasterized([TRIANGLE[:5]], **options)) == 0


def test_rle_has_no_odd_polygons() -> None:
    assert odd_polygons(compressed(left_half())) == 0


def test_opencv_truncates_vertices_and_paints_the_outline() -> None:
    cv2 = pytest.importorskip("cv2", exc_type=ImportError)
    polygon = [1.9, 1.9, 6.9, 1.9, 6.9, 5.9, 1.9, 5.9]
    expected = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.fillPoly(expected, [np.array([[1, 1], [6, 1], [6, 5], [1, 5]], dtype=np.int32)], 1)

    mask = pixels(rasterized([polygon], rasterizer=Rasterizer.OPENCV))

    assert np.array_equal(mask, expected.astype(bool))
    assert mask.sum() == 6 * 5


def test_overlapping_polygons_stay_filled_under_opencv() -> None:
    pytest.importorskip("cv2", exc_type=ImportError)
    once = pixels(rasterized([SQUARE], rasterizer=Rasterizer.OPENCV))

    assert np.array_equal(pixels(rasterized([SQUARE, SQUARE], rasterizer=Rasterizer.OPENCV)), once)


def test_a_missing_opencv_is_a_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)

    with pytest.raises(SuiteOptionError, match="pip install opencv-python-headless"):
        require_rasterizer(Rasterizer.OPENCV)
