"""Annotated outlines to masks: polygons, uncompressed and compressed RLE to COCO RLE."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast

import numpy as np
import pycocotools.mask
from numpy.typing import NDArray

from adapters.interface import RLE
from suites.base import DataInvalid, SuiteOptionError


class Rasterizer(StrEnum):
    """How polygons become pixels; part of a suite's version, since scores differ slightly.

    ``PYCOCOTOOLS`` is the datasets' own (``frPyObjects`` and ``merge``). ``OPENCV`` is what
    WOW-Seg's converter does: vertices truncated to integers, each polygon filled by
    ``cv2.fillPoly``, which also paints the outline.
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
            ``{"size": [height, width], "counts": text | run lengths}``.
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
    parts = pycocotools.mask.frPyObjects(polygons, height, width)
    return _rle(pycocotools.mask.merge(parts))


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
            raise DataInvalid(f"{where}: polygon {number} is not a list of numbers")
        if len(polygon) < 6 or len(polygon) % 2:
            raise DataInvalid(
                f"{where}: polygon {number} has {len(polygon)} numbers; at least three points, "
                "x and y in turn, were expected"
            )
        try:
            points = np.asarray(polygon, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataInvalid(
                f"{where}: polygon {number} holds something else than numbers"
            ) from None
        if not bool(np.all(np.abs(points) <= reach)):  # NaN compares false
            raise DataInvalid(
                f"{where}: polygon {number} has a coordinate that is not finite or lies far "
                f"outside the {width}×{height} picture"
            )
    return cast("list[list[float]]", segmentation)


def _from_rle(segmentation: dict[str, Any], width: int, height: int, where: str) -> RLE:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise DataInvalid(
            f"{where}: the mask's size {size} (height, width) is not its picture's "
            f"[{height}, {width}]; the annotation belongs to another version of the picture"
        )
    if isinstance(counts, list):
        runs = _run_array(counts, where)
        _require_cover(runs, width, height, where)
        packed = {"size": size, "counts": runs.tolist()}
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
    symbols = np.frombuffer(counts.encode("utf-8"), dtype=np.uint8).astype(np.int64) - 48
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


def _fill_with_opencv(polygons: list[list[float]], width: int, height: int) -> RLE:
    cv2 = _opencv()
    mask = np.zeros((height, width), dtype=np.uint8)
    for polygon in polygons:
        points = np.asarray(polygon, dtype=np.float64).reshape(-1, 2).astype(np.int32)
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
