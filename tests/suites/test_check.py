from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from suites.base import Finding, Level
from suites.registry import entry
from tests.suites.annotation_files import (
    HEIGHT,
    SQUARE,
    WIDTH,
    annotation,
    compressed,
    lvis_v1,
    write,
    write_lvis,
    write_picture,
)


def check(root: Path, **options: Any) -> list[Finding]:
    return entry("lvis").check(root=str(root), **options)


def of(findings: list[Finding], subject: str, level: Level) -> Finding:
    (finding,) = [f for f in findings if (f.subject, f.level) == (subject, level)]
    return finding


def a_dataset(root: Path, pictures: int = 8) -> dict[str, Any]:
    content = lvis_v1(
        [annotation(n, n) for n in range(1, pictures + 1)], images=range(1, pictures + 1)
    )
    write_lvis(root, content)
    return content


def test_whole_files_are_ok_and_counts_are_compared_with_the_published(tmp_path: Path) -> None:
    a_dataset(tmp_path)
    findings = check(tmp_path)

    assert "8 images, 8 regions" in of(findings, "annotations", Level.OK).message
    assert "all 8" in of(findings, "pictures", Level.OK).message
    counts = [f.message for f in findings if f.subject == "counts"]
    assert [m.split(":")[0] for m in counts] == [
        "8 images; the published set has 19,809",
        "8 regions; the published set has 244,707",
    ]


def test_missing_annotations_are_a_finding_with_their_address(tmp_path: Path) -> None:
    (finding,) = check(tmp_path)

    assert (finding.level, finding.subject) == (Level.MISSING, "annotations")
    assert "https://dl.fbaipublicfiles.com/LVIS/lvis_v1_val.json.zip" in finding.message


def test_a_cut_off_annotation_file_is_a_finding_with_the_byte(tmp_path: Path) -> None:
    path = write_lvis(tmp_path, lvis_v1([annotation(1)]))
    path.write_bytes(path.read_bytes()[:100])
    (finding,) = check(tmp_path)

    assert (finding.level, finding.subject) == (Level.INVALID, "annotations")
    assert "cut off: it ends at byte 100" in finding.message
    assert finding.remedy is not None


def test_missing_pictures_are_counted_by_folder_and_the_first_named(tmp_path: Path) -> None:
    a_dataset(tmp_path)
    for number in (1, 3, 5, 7):
        (tmp_path / "val2017" / f"{number:012d}.jpg").unlink()
    (tmp_path / "train2017" / "000000000002.jpg").unlink()
    (tmp_path / "train2017" / "000000000004.jpg").unlink()
    finding = of(check(tmp_path), "pictures", Level.MISSING)

    assert "6 of 8 pictures" in finding.message
    assert "2 in train2017, 4 in val2017" in finding.message
    assert "val2017/000000000001.jpg; train2017/000000000002.jpg" in finding.message
    assert finding.message.endswith("; …")
    assert finding.remedy is not None
    assert "http://images.cocodataset.org/zips/val2017.zip" in finding.remedy


def test_pictures_of_another_size_cut_off_or_corrupt_are_named(tmp_path: Path) -> None:
    a_dataset(tmp_path)
    folder = tmp_path / "val2017"
    write_picture(folder / "000000000001.jpg", WIDTH, HEIGHT + 1)
    whole = folder / "000000000003.jpg"
    whole.write_bytes(whole.read_bytes()[:-20])
    (folder / "000000000005.jpg").write_bytes(b"<html>not found</html>")
    (folder / "000000000007.jpg").write_bytes(b"")
    finding = of(check(tmp_path), "pictures", Level.INVALID)

    assert "4 of 8 pictures cannot be used" in finding.message
    assert "000000000001.jpg is 12×9 pixels" in finding.message
    for number in (3, 5, 7):
        assert f"{number:012d}.jpg cannot be decoded" in finding.message


def test_a_whole_picture_with_bytes_after_its_end_is_fine(tmp_path: Path) -> None:
    a_dataset(tmp_path, pictures=1)
    picture = tmp_path / "val2017" / "000000000001.jpg"
    picture.write_bytes(picture.read_bytes() + b"\0" * 10_000)

    assert of(check(tmp_path), "pictures", Level.OK)


def test_all_unusable_masks_are_counted_not_only_the_first(tmp_path: Path) -> None:
    content = a_dataset(tmp_path)
    content["annotations"][1]["segmentation"] = {"size": [4, 4], "counts": "04"}
    content["annotations"][2]["segmentation"] = [["x"] * 6]
    content["annotations"][3]["segmentation"] = [[float("nan")] * 6]
    write_lvis(tmp_path, content)
    finding = of(check(tmp_path), "masks", Level.INVALID)

    assert "3 of 8 masks cannot be used" in finding.message
    for number in (2, 3, 4):
        assert f"annotation {number}: " in finding.message


def test_empty_masks_are_a_warning(tmp_path: Path) -> None:
    content = a_dataset(tmp_path)
    nothing = compressed(np.zeros((HEIGHT, WIDTH), dtype=bool))
    content["annotations"][4]["segmentation"] = nothing
    write_lvis(tmp_path, content)
    finding = of(check(tmp_path), "masks", Level.WARNING)

    assert "1 of 8 masks cover no pixel: 000000000005/5" in finding.message
    assert finding.remedy is not None
    assert "denominator" in finding.remedy


def test_short_and_odd_polygons_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    content = a_dataset(tmp_path)
    for number, polygons in enumerate(([SQUARE, SQUARE[:4]], [SQUARE[:4]], [[*SQUARE, 1.0]])):
        content["annotations"][number]["segmentation"] = polygons
    write_lvis(tmp_path, content)
    findings = [f for f in check(tmp_path) if f.subject == "masks"]

    assert {finding.level for finding in findings} == {Level.WARNING}
    empty, odd = (finding.message for finding in findings)
    assert empty == "1 of 8 masks cover no pixel: 000000000002/2"
    assert odd.startswith("3 of 8 masks have polygons of fewer than three points or with a number")
    assert entry("lvis").load(cache=tmp_path / "cache", root=str(tmp_path)).digest


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_other_picture_formats_are_checked_too(tmp_path: Path, suffix: str) -> None:
    names = [f"{name}{suffix}" for name in ("whole", "cut")]
    images = [
        {
            "file_name": name,
            "width": 64,
            "height": 64,
            "regions": [{"label": "wren", "segmentation": [SQUARE]}],
        }
        for name in names
    ]
    path = write(tmp_path / "birds.json", {"images": images})
    for name in names:
        pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / name, lossless=True)
    cut = tmp_path / names[1]
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    finding = of(entry("regions-json").check(annotations=str(path)), "pictures", Level.INVALID)

    assert "1 of 2 pictures cannot be used" in finding.message
    assert f"cut{suffix}" in finding.message
