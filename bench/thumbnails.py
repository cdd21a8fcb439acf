"""One picture of a suite as the sample browser shows it: small, with its regions' outlines."""

from __future__ import annotations

import io
from dataclasses import replace

import PIL.Image

from adapters.interface import RLE
from adapters.masks import MaskError, decode_rle
from reports.frames import Picture
from reports.outlines import outline
from suites.base import PictureError, Suite

LONG_SIDE = 320
_QUALITY = 80


def reread(suite: Suite, index: int, found: Picture) -> Picture:
    """The picture with its pixels, where they could not be read before and can be now."""
    return replace(found, jpeg=_jpeg(suite, index, (found.width, found.height)))


def picture(suite: Suite, index: int, *, shown: bool) -> Picture:
    """The ``index``-th picture of a suite; without pixels unless it is ``shown`` and can be read.

    A mask that cannot be decoded has no outline.
    """
    record = suite.record(index)
    scale = min(1.0, LONG_SIDE / max(record.width, record.height))
    width, height = (max(1, round(side * scale)) for side in (record.width, record.height))
    outlines = {
        region: path
        for region, mask in zip(record.region_ids, record.masks, strict=True)
        if (path := _outline(mask, scale))
    }
    jpeg = _jpeg(suite, index, (width, height)) if shown else None
    return Picture(record.image_id, width, height, jpeg, outlines)


def _outline(mask: RLE, scale: float) -> str:
    try:
        return outline(decode_rle(mask), scale)
    except MaskError:
        return ""


def _jpeg(suite: Suite, index: int, size: tuple[int, int]) -> bytes | None:
    """The picture at ``size`` as JPEG, without what its file says beside the pixels."""
    try:
        image = suite.query(index).image
    except PictureError:
        return None
    small = image.resize(size, PIL.Image.Resampling.LANCZOS)
    small.info.clear()
    target = io.BytesIO()
    small.save(target, "JPEG", quality=_QUALITY, optimize=True)
    return target.getvalue()
