from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from suites.base import DataInvalid, DataMissing, Selection, Suite
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
    write,
    write_picture,
)

CATEGORIES = [
    {"id": 23, "name": "trash_can", "supercategory": "OBJECT", "frequency": "f"},
    {"id": 2100, "name": "trash_can:lid", "supercategory": "PART", "frequency": "c"},
]


def paco(tmp_path: Path, **options: Any) -> Suite:
    return entry("paco").load(cache=tmp_path / "cache", root=str(tmp_path), **options)


def paco_v1(*annotations: dict[str, Any]) -> dict[str, Any]:
    images = [
        {"id": 139, "file_name": "val2017/000000000139.jpg", "width": WIDTH, "height": HEIGHT},
        {"id": 25, "file_name": "train2017/000000000025.jpg", "width": WIDTH, "height": HEIGHT},
    ]
    parts = [{"id": 1, "name": "lid", "supercategory": "PART"}]
    return {
        "images": images,
        "annotations": list(annotations),
        "categories": CATEGORIES,
        "part_categories": parts,
        "attributes": [],
        "attr_type_to_attr_idxs": {"color": [0, 1]},
    }


def an_object(number: int, image: int = 139) -> dict[str, Any]:
    mask = compressed(left_half())
    return annotation(number, image, 23, segmentation=mask, obj_ann_id=number)


def a_part(number: int, of: int, image: int = 139) -> dict[str, Any]:
    return annotation(number, image, 2100, segmentation=[SQUARE], obj_ann_id=of)


def test_objects_and_parts_are_regions_alike(tmp_path: Path) -> None:
    content = paco_v1(an_object(5), a_part(40, of=5), an_object(7, 25))
    write(tmp_path / "annotations" / "paco_lvis_v1_val.json", content)
    suite = paco(tmp_path)

    frame = suite.references(Selection())
    assert (suite.card.name, suite.card.version) == ("paco", "v1-val")
    assert frame["region_id"].tolist() == [
        "000000000025/07",
        "000000000139/05",
        "000000000139/40",
    ]
    assert frame["category"].tolist() == ["trash_can", "trash_can", "trash_can:lid"]
    assert frame["frequency"].tolist() == ["f", "f", "c"]
    assert suite.record(0).path == tmp_path / "train2017" / "000000000025.jpg"


def test_val_and_test_are_different_suites_of_published_size(tmp_path: Path) -> None:
    for split in ("val", "test"):
        write(tmp_path / f"paco_lvis_v1_{split}.json", paco_v1(an_object(5)))
    val, test = paco(tmp_path), paco(tmp_path, subset="test")

    assert val.digest != test.digest
    assert val.card.expected is not None
    assert test.card.expected is not None
    assert (val.card.expected.images, val.card.expected.regions) == (2_410, 31_739)
    assert (test.card.expected.images, test.card.expected.regions) == (9_443, 131_902)


def test_the_1k_subset_is_read(tmp_path: Path) -> None:
    listed = [listed_image(139, ["dog:ear", "dog"], [[SQUARE], compressed(left_half())])]
    write(tmp_path / "paco_val_1k_category.json", listed)
    picture = write_picture(tmp_path / "train2017" / "000000000139.jpg")
    suite = paco(tmp_path, subset="1k")

    assert suite.card.version == "v1-1k"
    assert suite.record(0).path == picture
    assert suite.record(0).labels == ("dog:ear", "dog")
    assert suite.record(0).masks[1].counts == compressed(left_half())["counts"]


def test_a_part_whose_category_is_not_listed_is_refused(tmp_path: Path) -> None:
    stray = annotation(9, category=1, segmentation=[TRIANGLE], obj_ann_id=5)
    write(tmp_path / "paco_lvis_v1_val.json", paco_v1(an_object(5), stray))

    with pytest.raises(DataInvalid, match="annotation 9: category 1 is not among"):
        paco(tmp_path)


def test_missing_annotations_say_where_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"paco_lvis_v1_val\.json is missing; get https://dl"):
        paco(tmp_path)
    with pytest.raises(DataMissing, match=r"paco_val_1k_category\.json from https://hugg"):
        paco(tmp_path, subset="1k")


@pytest.mark.shared
def test_the_real_categories_are_as_many_as_the_card_says(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "paco" / "paco_lvis_v1_train_cat_info.json"
    categories = json.loads(path.read_text())
    annotations = [
        annotation(number, category=category["id"]) for number, category in enumerate(categories, 1)
    ]
    write(
        tmp_path / "paco_lvis_v1_val.json",
        {**paco_v1(*annotations), "categories": categories},
    )
    suite = paco(tmp_path)

    frame = suite.references(Selection())
    assert suite.card.expected is not None
    assert frame["category"].nunique() == suite.card.expected.categories == 531
    assert frame["category"].str.contains(":").sum() == 456
