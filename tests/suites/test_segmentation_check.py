"""`bench data check` of segmentation sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from suites.base import Finding, Level
from suites.registry import entry
from tests.suites.segmentation_files import (
    CAR,
    WALL,
    Panoptic,
    save,
    save_picture,
    write_ade20k,
)

STREET = Panoptic.of([[1, 1, 4, 4], [1, 1, 4, 0]], {1: WALL, 4: CAR})


def check(name: str, root: Path) -> list[Finding]:
    return entry(name).check(root=str(root))


def of_level(findings: list[Finding], level: Level) -> list[Finding]:
    return [finding for finding in findings if finding.level is level]


def test_a_whole_set_is_fine_but_for_the_published_counts(tmp_path: Path) -> None:
    write_ade20k(tmp_path, {"street": STREET, "road": STREET})
    findings = check("ade20k-panoptic", tmp_path)
    assert [finding.subject for finding in of_level(findings, Level.OK)] == [
        "semantic maps",
        "panoptic annotations",
        "pictures",
        "maps",
        "pictures",
    ]
    (warning,) = (finding for finding in findings if finding.level is not Level.OK)
    assert warning.message.startswith("2 images; the published set has 2,000")


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("ade150", {"semantic maps": "ADEChallengeData2016.zip", "pictures": "ADEChallengeData"}),
        (
            "ade20k-panoptic",
            {
                "semantic maps": "ADEChallengeData2016.zip",
                "panoptic annotations": "bench data prepare ade20k-panoptic",
                "instance maps, which the preparation reads": "annotations_instance.tar",
                "pictures": "ADEChallengeData2016.zip",
            },
        ),
        (
            "ade847",
            {
                "16-bit semantic maps": "bench data prepare ade847",
                "label pictures of the full release, which the preparation reads": "register at",
                "pictures at the size of the maps": "bench data prepare ade847",
            },
        ),
        (
            "pascal-context-459",
            {
                "16-bit semantic maps": "bench data prepare pascal-context-459",
                "annotations as published, which the preparation reads": "trainval.tar.gz",
                "lists of val images, which the preparation reads": "VOCtrainval_03-May-2010.tar",
                "pictures": "VOCtrainval_03-May-2010.tar",
            },
        ),
        ("coco-stuff", {"semantic maps": "stuffthingmaps_trainval2017", "pictures": "val2017.zip"}),
        (
            "cityscapes",
            {"semantic maps": "gtFine_trainvaltest", "pictures": "leftImg8bit_trainval"},
        ),
        (
            "cityscapes-panoptic",
            {
                "semantic maps": "gtFine_trainvaltest.zip",
                "panoptic annotations": "bench data prepare cityscapes-panoptic",
                "instance maps, which the preparation reads": "gtFine_trainvaltest.zip",
                "pictures": "leftImg8bit_trainvaltest.zip",
            },
        ),
    ],
)
def test_an_empty_folder_is_told_every_file_and_step_it_lacks(
    tmp_path: Path, name: str, lacking: dict[str, str]
) -> None:
    findings = check(name, tmp_path)
    assert {finding.level for finding in findings} == {Level.MISSING}
    assert [finding.subject for finding in findings] == list(lacking)
    for finding in findings:
        assert finding.remedy is not None
        assert lacking[finding.subject] in finding.remedy


def test_a_set_that_can_be_prepared_shows_what_is_there_already(tmp_path: Path) -> None:
    write_ade20k(tmp_path, {"street": STREET})
    (tmp_path / "ade20k_panoptic_val.json").unlink()
    save(tmp_path / "annotations_instance/validation/street.png", np.zeros((2, 4, 3), np.uint8))
    findings = {finding.subject: finding for finding in check("ade20k-panoptic", tmp_path)}
    assert findings["panoptic annotations"].level is Level.MISSING
    assert findings["instance maps, which the preparation reads"].level is Level.OK


def test_every_unusable_map_and_picture_is_counted_and_the_first_are_named(tmp_path: Path) -> None:
    for number in range(8):
        save(tmp_path / f"annotations/validation/{number}.png", np.ones((2, 2), np.uint8))
        save_picture(tmp_path / f"images/validation/{number}.jpg", (2, 2))
    save(tmp_path / "annotations/validation/1.png", np.full((2, 2), 200, np.uint8))
    save(tmp_path / "annotations/validation/2.png", np.zeros((2, 2), np.uint8))
    save_picture(tmp_path / "images/validation/3.jpg", (2, 3))
    (tmp_path / "images/validation/4.jpg").unlink()
    findings = check("ade150", tmp_path)
    invalid = of_level(findings, Level.INVALID)
    assert invalid[0].message.startswith("1 of 8 cannot be used: label map")
    assert "1.png holds 200" in invalid[0].message
    assert "3.jpg is 3×2 pixels, the annotation says 2×2" in invalid[1].message
    (missing,) = of_level(findings, Level.MISSING)
    assert missing.message == "1 of 8 are missing: 4"
    assert any(f.message == "1 of 8 hold no region: 2" for f in of_level(findings, Level.WARNING))


def test_segments_without_pixels_and_beyond_300_are_warned_of(tmp_path: Path) -> None:
    many = np.arange(1, 302).reshape(7, 43)
    covered = Panoptic.of([[1, 1]], {1: WALL, 2: WALL}, areas={2: 5})
    write_ade20k(
        tmp_path,
        {"lot": Panoptic.of(many, dict.fromkeys(many.ravel().tolist(), CAR)), "yard": covered},
    )
    messages = [f.message for f in of_level(check("ade20k-panoptic", tmp_path), Level.WARNING)]
    assert "1 of 2 show more than 300 segments: lot (1)" in messages
    assert "1 of 2 have segments that are listed but have no pixel: yard (1)" in messages


def test_a_json_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = write_ade20k(tmp_path, {"street": STREET})
    path.write_text(path.read_text()[:-40])
    (invalid,) = of_level(check("ade20k-panoptic", tmp_path), Level.INVALID)
    assert "is cut off" in invalid.message
    assert invalid.remedy == "run `bench data prepare ade20k-panoptic`"
