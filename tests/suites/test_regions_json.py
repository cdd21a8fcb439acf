from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from suites.base import DataInvalid, DataMissing, Selection, Suite, SuiteOptionError
from suites.registry import entry
from tests.suites.annotation_files import (
    HEIGHT,
    SQUARE,
    TRIANGLE,
    WIDTH,
    annotation,
    compressed,
    left_half,
    listed_image,
    lvis_v1,
    write,
    write_picture,
)


def regions_json(tmp_path: Path, content: object, **options: Any) -> Suite:
    path = write(tmp_path / "birds.json", content)
    return entry("regions-json").load(cache=tmp_path / "cache", annotations=str(path), **options)


def region(label: object = "wren", segmentation: object = None, **more: Any) -> dict[str, Any]:
    return {"label": label, "segmentation": segmentation or [SQUARE], **more}


def image(name: str, *regions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "file_name": name,
        "width": WIDTH,
        "height": HEIGHT,
        "regions": list(regions),
        **more,
    }


def test_pictures_masks_and_labels_are_enough(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.png")
    half = compressed(left_half())
    content = {
        "images": [{"file_name": "a.png", "regions": [region(), region("nest", half)]}],
    }
    suite = regions_json(tmp_path, content)

    query = suite.query(0)
    assert (suite.card.name, query.image_path, query.image.size) == ("birds", picture, (12, 8))
    assert query.region_ids == ("a.png/000000", "a.png/000001")
    assert query.masks[1].counts == half["counts"]
    assert suite.references(Selection())["category"].tolist() == ["wren", "nest"]


def test_a_user_s_own_pictures_are_not_shown_unless_asked_for(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    suite = regions_json(tmp_path, {"images": [image("a.png", region())]})
    assert not suite.card.show_pictures


def test_ids_sizes_boxes_and_a_name_may_be_given(tmp_path: Path) -> None:
    boxed = region(id="left", bbox=[1, 1, 5, 4])
    content = {"images": [image("b.jpg", boxed, id=2), image("a.jpg", region(id=7), id=10)]}
    suite = regions_json(tmp_path, content, name="Garden birds", images=str(tmp_path / "pics"))

    assert suite.card.name == "Garden birds"
    assert suite.record(0).region_ids == ("000000000002/left",)
    assert suite.record(0).boxes == ((1.0, 1.0, 5.0, 4.0),)
    assert suite.record(1).region_ids == ("000000000010/000007",)
    assert suite.record(1).path == tmp_path / "pics" / "a.jpg"


def test_coco_form_instances_are_read(tmp_path: Path) -> None:
    content = lvis_v1([annotation(4), annotation(5, 285, 2)])
    for record in content["images"]:
        record["file_name"] = f"{record.pop('coco_url')[-16:]}"
    suite = regions_json(tmp_path, content)

    assert suite.references(Selection())["category"].tolist() == ["cat", "salmon_(fish)"]
    assert suite.record(0).path == tmp_path / "000000000139.jpg"


def test_image_lists_are_read(tmp_path: Path) -> None:
    suite = regions_json(tmp_path, [listed_image(139, ["wren"], [[TRIANGLE]])])

    assert suite.references(Selection())["region_id"].tolist() == ["000000000139/0000"]


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        ([image("a", {"segmentation": [SQUARE]})], "image 'a', region 0 has no 'label'"),
        ([image("a", region(), region(None))], "image 'a', region 1: 'label' is None"),
        ([image("a", region(" "))], "image 'a', region 0: 'label' is ' '"),
        ([image("a", {"label": "wren"})], "image 'a', region 0 has no 'segmentation'"),
        ([image("a", region(segmentation=[["x"] * 6]))], "image 'a', region 0: polygon 1"),
        ([image("a", region(id=1), region(id=1))], "region 'a/000001' is listed twice"),
        ([image("a", region()), image("a", region())], "image 2: 'a' is listed twice"),
        ([{"file_name": "a", "width": 0, "height": 1, "regions": []}], "cannot be 0×1"),
        ([image("a", region(), width=10**9, height=10**9)], "cannot be 1000000000×1000000000"),
        ([{"file_name": "a", "width": 3, "regions": []}], "image 'a' has no 'height'"),
        ([{"regions": []}], "image 1 has no 'file_name'; it has: regions"),
        ([{"file_name": "a", "width": 1, "height": 1}], "image 'a' has no 'regions'"),
        (["a"], "image 1 is 'a', but an object was expected"),
        ([], "has no images"),
    ],
)
def test_a_bad_record_is_refused_by_name_and_key(
    tmp_path: Path, images: list[Any], reason: str
) -> None:
    with pytest.raises(DataInvalid, match=reason):
        regions_json(tmp_path, {"images": images})


def test_a_size_that_neither_file_nor_picture_gives_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"gives no width and height, and its picture .*a\.jpg"):
        regions_json(tmp_path, {"images": [{"file_name": "a.jpg", "regions": [region()]}]})


def test_misspelt_keys_are_reported_by_the_check(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    path = write(
        tmp_path / "birds.json",
        {"images": [image("a.png", region(lable="x"), heigth=3)], "categories": []},
    )
    messages = [f.message for f in entry("regions-json").check(annotations=str(path))]

    assert [m.rsplit(": ", 1)[1] for m in messages[1:3]] == [
        "key 'heigth' is not read",
        "key 'lable' is not read",
    ]


def test_the_annotation_file_must_be_given_and_be_there(tmp_path: Path) -> None:
    with pytest.raises(SuiteOptionError, match="needs option 'annotations'"):
        entry("regions-json").load(cache=tmp_path)
    with pytest.raises(DataMissing, match=r"birds\.json is missing"):
        entry("regions-json").load(cache=tmp_path, annotations=str(tmp_path / "birds.json"))


def test_the_documented_example_is_read(tmp_path: Path, repository: Path) -> None:
    text = (repository / "docs" / "data.md").read_text(encoding="utf-8")
    example = json.loads(text.split("```json\n")[1].split("```")[0])
    frame = regions_json(tmp_path, example).references(Selection())

    assert frame["category"].tolist() == ["wren", "nest"]
