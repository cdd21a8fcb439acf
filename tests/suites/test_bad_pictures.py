"""Pictures that would be taken for others, or become something else than they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from suites.base import DataInvalid, Finding, Level, PictureError, open_picture
from suites.pictures import PictureFinder
from suites.registry import entry
from tests.suites.annotation_files import HEIGHT, SQUARE, WIDTH, write, write_picture


def own(folder: Path, name: str, **size: int) -> Path:
    record = {"file_name": name, **size, "regions": [{"label": "x", "segmentation": [SQUARE]}]}
    return write(folder / "birds.json", {"images": [record]})


def load(path: Path) -> Any:
    return entry("regions-json").load(cache=path.parent / "cache", annotations=str(path))


def pictures(path: Path) -> Finding:
    found = entry("regions-json").check(annotations=str(path))
    (finding,) = [f for f in found if f.subject == "pictures"]
    return finding


def test_the_folder_in_a_name_counts_in_a_users_own_regions(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    path = own(tmp_path, "other/a.png", width=WIDTH, height=HEIGHT)

    assert load(path).record(0).path == tmp_path / "other" / "a.png"
    assert pictures(path).level is Level.MISSING
    assert PictureFinder(tmp_path).find("other/a.png") == tmp_path / "a.png"


@pytest.mark.parametrize(
    ("kind", "bits", "suffix"),
    [("uint16", 16, "png"), ("int32", 32, "tif"), ("float32", 32, "tif")],
)
def test_pictures_of_more_than_8_bits_are_refused(
    tmp_path: Path, kind: str, bits: int, suffix: str
) -> None:
    name = f"a.{suffix}"
    pixels = np.full((HEIGHT, WIDTH), 1000, dtype=kind)
    PIL.Image.fromarray(pixels).save(tmp_path / name)
    message = f"{name} has {bits} bits a channel; save it with 8"

    with pytest.raises(PictureError, match=message):
        open_picture(tmp_path / name, WIDTH, HEIGHT)
    finding = pictures(own(tmp_path, name, width=WIDTH, height=HEIGHT))
    assert finding.level is Level.INVALID
    assert message in finding.message


def test_a_huge_picture_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture(tmp_path / "a.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
    message = r"a\.png is too large; shrink it, .* to at most 20 pixels"

    finding = pictures(own(tmp_path, "a.png", width=WIDTH, height=HEIGHT))
    assert finding.level is Level.INVALID
    assert "too large; shrink it" in finding.message
    with pytest.raises(DataInvalid, match=f"image 'a.png': .*{message}"):
        load(own(tmp_path, "a.png"))
    with pytest.raises(PictureError, match=message):
        open_picture(tmp_path / "a.png", WIDTH, HEIGHT)


def test_another_size_than_annotated_is_not_called_another_version(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")

    finding = pictures(own(tmp_path, "a.png", width=WIDTH + 1, height=HEIGHT))
    assert "or correct the annotation" in finding.message
    assert "version" not in finding.message
    assert "must be the picture's own" in str(finding.remedy)
