"""Resizing to the last bit as OpenCV's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from suites.segmentation.prepare.opencv_resize import shrink_bilinear, shrink_nearest


def noise(height: int, width: int) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.random.default_rng(0).integers(
        0, 256, (height, width, 3), dtype=np.uint8
    )
    return pixels


SIZES = [
    ((600, 800), (683, 512)),
    ((611, 733), (614, 512)),
    ((1024, 683), (512, 768)),
    ((1024, 1024), (512, 512)),  # a half: each pixel is the mean of four
    ((513, 700), (699, 512)),
    ((512, 600), (600, 512)),
]


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_pictures_are_shrunk_as_opencv_does(shape: tuple[int, int], size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2", exc_type=ImportError)
    expected = cv2.resize(noise(*shape), size, interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(shrink_bilinear(noise(*shape), size), expected)


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_labels_are_shrunk_as_opencv_does(shape: tuple[int, int], size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2", exc_type=ImportError)
    labels = noise(*shape)[..., 0]
    expected = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    np.testing.assert_array_equal(shrink_nearest(labels, size), expected)


RECORDED = [
    [[149, 169, 71], [98, 171, 159], [186, 88, 161], [188, 175, 78]],
    [[162, 75, 148], [175, 216, 65], [91, 164, 237], [104, 81, 154]],
    [[78, 151, 160], [80, 68, 141], [168, 91, 68], [84, 157, 124]],
]


def test_the_bytes_opencv_makes_of_a_small_picture() -> None:
    # cv2.resize of OpenCV 5.0.0, recorded.
    pixels = ((np.arange(7 * 9 * 3) * 73) % 256).astype(np.uint8).reshape(7, 9, 3)
    assert shrink_bilinear(pixels, (4, 3)).tolist() == RECORDED


def test_a_picture_of_its_own_size_stays_as_it_is() -> None:
    np.testing.assert_array_equal(shrink_bilinear(noise(5, 7), (7, 5)), noise(5, 7))
