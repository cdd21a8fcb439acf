"""One thumbnail and its outlines, made from a suite's picture and masks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import binary_dilation

from adapters.masks import decode_rle
from bench.thumbnails import LONG_SIDE, picture
from suites import registry
from suites.base import ImageRecord
from tests.bench.fakes import FakeSuite, paint
from tests.reports.test_outlines import drawn


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return registry.entry("shapes").load(cache=tmp_path_factory.mktemp("cache"), images=3)


def test_generated_scenes_are_shown_with_their_outlines(shapes: Any) -> None:
    record: ImageRecord = shapes.record(0)
    made = picture(shapes, 0, shown=True)
    assert made.jpeg is not None
    with PIL.Image.open(io.BytesIO(made.jpeg)) as image:
        assert (image.format, image.size) == ("JPEG", (made.width, made.height))
        shown = np.asarray(image.convert("RGB"), dtype=np.int16)
    original = np.asarray(shapes.query(0).image, dtype=np.int16)
    assert np.abs(shown - original).mean() < 10
    assert set(made.outlines) == set(record.region_ids)
    for region, mask in zip(record.region_ids, record.masks, strict=True):
        exact = np.kron(decode_rle(mask), np.ones((4, 4), dtype=np.bool_))
        again = drawn(made.outlines[region], made.width, made.height)
        # No pixel farther than one from where it was.
        assert not (exact & ~binary_dilation(again, iterations=4)).any()
        assert not (again & ~binary_dilation(exact, iterations=4)).any()


def test_a_thumbnail_carries_nothing_but_its_pixels(workplace: Path) -> None:
    suite = FakeSuite(workplace / "pictures", 2)
    side = suite.record(0).width
    exif = PIL.Image.Exif()
    exif[0x010E] = "taken at home"
    image = PIL.Image.new("RGB", (side, side), "red")
    image.save(workplace / "pictures" / "0000.png", exif=exif, icc_profile=b"profile", dpi=(7, 7))
    jpeg = picture(suite, 0, shown=True).jpeg
    assert jpeg is not None
    assert b"taken at home" not in jpeg
    assert b"Exif" not in jpeg
    with PIL.Image.open(io.BytesIO(jpeg)) as read:
        assert set(read.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_large_picture_becomes_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pycocotools import mask as coco

    from adapters.interface import RLE

    pixels = np.zeros((1024, 2048), dtype=np.uint8, order="F")
    pixels[256:512, 1024:1536] = 1
    rle = RLE((1024, 2048), coco.encode(pixels)["counts"].decode("ascii"))
    PIL.Image.new("RGB", (2048, 1024)).save(tmp_path / "big.png")
    record = ImageRecord("big", tmp_path / "big.png", 2048, 1024, ("r",), (rle,), None, ("x",))
    suite = FakeSuite(tmp_path, 1)
    monkeypatch.setattr(suite, "record", lambda index: record)
    found = picture(suite, 0, shown=True)
    assert (found.width, found.height) == (LONG_SIDE, LONG_SIDE // 2)
    assert found.outlines == {"r": "M0 0m1600 400l800 0 0 400-800 0z"}


def test_a_damaged_mask_has_no_outline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(tmp_path, 1)
    suite = FakeSuite(tmp_path, 1)
    record = suite.record(0)
    broken = (record.masks[0]._replace(counts="garbage"), *record.masks[1:])
    damaged = ImageRecord(
        record.image_id,
        record.path,
        record.width,
        record.height,
        record.region_ids,
        broken,
        None,
        record.labels,
    )
    monkeypatch.setattr(suite, "record", lambda index: damaged)
    assert list(picture(suite, 0, shown=True).outlines) == list(record.region_ids[1:])
