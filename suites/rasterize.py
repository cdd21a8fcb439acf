"""Annotated outlines to masks: polygons, uncompressed and compressed RLE to COCO RLE."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast

import numpy as np
import pycocotools.mask
from numpy.typing import NDArray

from adapters.interface import RLE
from suites.base import DataInvalid, SuiteOptionError
from suites.readers.fields import kind_of

_LEAST_NUMBERS = 6
"""Of a polygon: three points."""

_WANTED = "a list of polygons [[x, y, x, y, …]] is wanted"


class Rasterizer(StrEnum):
    """How polygons become pixels; part of a suite's version, since scores differ slightly.

    ``PYCOCOTOOLS`` is the datasets' own (``frPyObjects`` and ``merge``). ``OPENCV`` is what
    WOW-Seg's converter does: vertices truncated to integers, each polygon filled by
    ``cv2.fillPoly``, which also paints the outline; polygons of fewer than three points are left
    out.
    """

    PYCOCOTOOLS = "pycocotools"
    OPENCV = "opencv"


def to_rle(
    segmentation: object,
    width: int,
    height: int,
    where: str,
    rasterizer: Rasterizer = Rasterizer.PYCOCOTOOLS,
) -> RLE:
    """Turn an annotated segmentation into a mask of the picture's size.

    Args:
        segmentation: list of polygons ``[x0, y0, x1, y1, …]`` in pixels, or RLE
            ``{"size": [height, width], "counts": text | run lengths}``. A mask of short polygons
            alone may be empty; a number left over is ignored.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        where: names the annotation in messages.
        rasterizer: how polygons become pixels.

    Raises:
        DataInvalid: neither form, of another size, or with impossible values.
        SuiteOptionError: the rasterizer is not installed.
    """
    if isinstance(segmentation, dict):
        return _from_rle(segmentation, width, height, where)
    polygons = _polygons(segmentation, width, height, where)
    if rasterizer is Rasterizer.OPENCV:
        return _fill_with_opencv(polygons, width, height)
    return _fill_with_pycocotools(polygons, width, height)


def odd_polygons(segmentation: object) -> int:
    """How many of the polygons have fewer than three points, or a number left over."""
    if not isinstance(segmentation, list):
        return 0
    return sum(len(polygon) < _LEAST_NUMBERS or len(polygon) % 2 == 1 for polygon in segmentation)


def area(rle: RLE) -> int:
    """Number of pixels a mask covers."""
    return int(pycocotools.mask.area({"size": list(rle.size), "counts": rle.counts}))


def require_rasterizer(rasterizer: Rasterizer) -> None:
    """See that the rasterizer can be used here.

    Raises:
        SuiteOptionError: its package is not installed.
    """
    if rasterizer is Rasterizer.OPENCV:
        _opencv()


def _polygons(segmentation: object, width: int, height: int, where: str) -> list[list[float]]:
    if not isinstance(segmentation, list) or not segmentation:
        raise DataInvalid(f"{where}: the segmentation is neither polygons nor RLE")
    # Far outside a picture nothing is drawn, but rasterising would take for ever.
    reach = 10.0 * max(width, height)
    for number, polygon in enumerate(segmentation, 1):
        if not isinstance(polygon, list):
            raise DataInvalid(f"{where}: polygon {number} is not a list of numbers; {_WANTED}")
        if not set(map(type, polygon)) <= {int, float}:
            raise DataInvalid(
                f"{where}: polygon {number} holds something else than numbers; {_WANTED}"
            )
        if not _within(polygon, reach):
            raise DataInvalid(
                f"{where}: polygon {number} has a coordinate that is not finite or lies far "
                f"outside the {width}×{height} picture"
            )
    return cast("list[list[float]]", segmentation)


def _within(numbers: list[float], reach: float) -> bool:
    try:
        return bool(np.all(np.abs(np.asarray(numbers, dtype=np.float64)) <= reach))  # NaN: false
    except OverflowError:  # a whole number beyond every float
        return False


def _from_rle(segmentation: dict[str, Any], width: int, height: int, where: str) -> RLE:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size == [width, height] and width != height:
        raise DataInvalid(
            f"{where}: the mask's size is [height, width], but [{width}, {height}] is the "
            f"picture's width and height; write [{height}, {width}], and 'counts' column by column"
        )
    if size != [height, width]:
        shown = size if isinstance(size, list) and set(map(type, size)) <= {int} else kind_of(size)
        raise DataInvalid(
            f"{where}: the mask's size {shown} (height, width) is not its picture's "
            f"[{height}, {width}]; take the picture that was annotated, or correct the size"
        )
    if isinstance(counts, list):
        runs = _run_array(counts, where)
        _require_cover(runs, width, height, where)
        packed = {"size": [height, width], "counts": runs.tolist()}
        return _rle(pycocotools.mask.frPyObjects(packed, height, width))
    if not isinstance(counts, str):
        raise DataInvalid(f"{where}: RLE 'counts' is neither a text nor a list of run lengths")
    _require_cover(run_lengths(counts, where), width, height, where)
    return RLE((height, width), counts)


def _run_array(counts: list[Any], where: str) -> NDArray[np.int64]:
    if not all(isinstance(run, int) and 0 <= run < 2**31 for run in counts):
        raise DataInvalid(f"{where}: RLE run lengths must be whole numbers from 0")
    return np.asarray(counts, dtype=np.int64)


def run_lengths(counts: str, where: str) -> NDArray[np.int64]:
    """Decode COCO's compressed counts: lengths of background and mask runs in turn ``[runs]``.

    Each run is written in 5-bit digits, lowest first, from character 48; from the fourth run on
    it is the difference to the run two before. pycocotools does not check what it decodes (a
    short text leaves memory unset in the mask), so it is checked here.

    Raises:
        DataInvalid: the text is not such an encoding.
    """
    if not counts.isascii():
        raise DataInvalid(f"{where}: RLE 'counts' is damaged")
    symbols = np.frombuffer(counts.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    if symbols.size == 0 or symbols.min() < 0 or symbols.max() > 63 or symbols[-1] & 0x20:
        raise DataInvalid(f"{where}: RLE 'counts' is damaged or cut off")
    last = (symbols & 0x20) == 0
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if int((ends - starts).max()) > 6:
        raise DataInvalid(f"{where}: RLE 'counts' is damaged")
    digit = np.arange(symbols.size) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((symbols & 0x1F) << (5 * digit), starts)
    negative = (symbols[ends] & 0x10) != 0
    values -= np.where(negative, np.int64(1) << (5 * (ends - starts + 1)), 0)
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs


def _require_cover(runs: NDArray[np.int64], width: int, height: int, where: str) -> None:
    if runs.size and int(runs.min()) < 0:
        raise DataInvalid(f"{where}: RLE 'counts' is damaged")
    if int(runs.sum()) != width * height:
        raise DataInvalid(
            f"{where}: the RLE covers {int(runs.sum())} pixels, but its picture has "
            f"{width}×{height} = {width * height}"
        )


def _fill_with_pycocotools(polygons: list[list[float]], width: int, height: int) -> RLE:
    # pycocotools takes polygons of any length, but only after one of two points and more: it
    # tells from the first what the list holds, and four numbers would be a box.
    starts = [number for number, polygon in enumerate(polygons) if len(polygon) > 4]
    if not starts:
        return _rle(pycocotools.mask.encode(np.zeros((height, width), np.uint8, order="F")))
    parts = pycocotools.mask.frPyObjects(polygons[starts[0] :], height, width)
    return _rle(pycocotools.mask.merge(parts))


def _fill_with_opencv(polygons: list[list[float]], width: int, height: int) -> RLE:
    cv2 = _opencv()
    mask = np.zeros((height, width), dtype=np.uint8)
    for polygon in polygons:
        if len(polygon) < _LEAST_NUMBERS:
            continue
        whole = polygon[: len(polygon) // 2 * 2]
        points = np.asarray(whole, dtype=np.float64).reshape(-1, 2).astype(np.int32)
        cv2.fillPoly(mask, [points], 1)
    return _rle(pycocotools.mask.encode(np.asfortranarray(mask)))


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise SuiteOptionError(
            f"rasterizer 'opencv' needs OpenCV, which cannot be loaded ({error}); "
            "run `pip install opencv-python-headless`, or leave the option out"
        ) from error
    return cv2


def _rle(encoded: dict[str, Any]) -> RLE:
    height, width = encoded["size"]
    return RLE((int(height), int(width)), encoded["counts"].decode("ascii"))
