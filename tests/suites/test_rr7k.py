from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pycocotools.mask
import pytest

from suites.base import DataInvalid, DataMissing, Selection, Suite, SuiteOptionError
from suites.registry import entry
from tests.suites.annotation_files import (
    HEIGHT,
    SQUARE,
    WIDTH,
    compressed,
    left_half,
    write,
    write_lines,
    write_picture,
)


def rr7k(tmp_path: Path, **options: Any) -> Suite:
    return entry("rr7k").load(cache=tmp_path / "cache", **options)


def line(identifier: object, labels: list[Any], masks: list[Any], **changes: Any) -> dict[str, Any]:
    record = {
        "id": identifier,
        "image": f"sa_000020/sa_{identifier}.jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "conversations": [],
        "masks": masks,
        "label": labels,
    }
    return {**record, **changes}


def sa1b(image: int, *annotations: int) -> dict[str, Any]:
    return {
        "image": {
            "image_id": image,
            "width": WIDTH,
            "height": HEIGHT,
            "file_name": f"sa_{image}.jpg",
        },
        "annotations": [
            {
                "id": number,
                "segmentation": compressed(left_half()),
                "bbox": [0.0, 0.0, 6.0, 8.0],
                "area": 48,
                "predicted_iou": 0.9,
                "stability_score": 0.9,
                "crop_box": [0.0, 0.0, 12.0, 8.0],
                "point_coords": [[1.0, 1.0]],
            }
            for number in annotations
        ],
    }


def test_every_mask_of_every_line_is_a_region(tmp_path: Path) -> None:
    half = compressed(left_half())
    path = write_lines(
        tmp_path / "rr7k.jsonl",
        [line("sa_2", ["pond"], [half]), line("sa_1", ["T-shirt", "red car"], [half, [SQUARE]])],
    )
    suite = rr7k(tmp_path, annotations=str(path))

    frame = suite.references(Selection())
    assert frame["region_id"].tolist() == ["sa_1/0000", "sa_1/0001", "sa_2/0000"]
    assert frame["category"].tolist() == ["T-shirt", "red car", "pond"]
    assert suite.record(0).masks[0].counts == half["counts"]
    assert suite.record(0).boxes is None


def test_masks_may_be_bare_counts_of_the_pictures_size(tmp_path: Path) -> None:
    half = compressed(left_half())
    path = write_lines(tmp_path / "rr7k.jsonl", [line(1, ["pond"], [half["counts"]])])

    mask = rr7k(tmp_path, annotations=str(path)).record(0).masks[0]
    assert (mask.size, mask.counts) == ((HEIGHT, WIDTH), half["counts"])


def test_pictures_are_found_with_and_without_their_archives_folder(tmp_path: Path) -> None:
    half = compressed(left_half())
    path = write_lines(
        tmp_path / "rr7k.jsonl", [line(1, ["pond"], [half]), line(2, ["pond"], [half])]
    )
    foldered = write_picture(tmp_path / "pictures" / "sa_000020" / "sa_1.jpg")
    flat = write_picture(tmp_path / "pictures" / "sa_2.jpg")
    suite = rr7k(tmp_path, annotations=str(path), images=str(tmp_path / "pictures"))

    assert [suite.record(i).path for i in range(2)] == [foldered, flat]


def test_keys_that_are_not_read_are_reported(tmp_path: Path) -> None:
    half = compressed(left_half())
    path = write_lines(
        tmp_path / "rr7k.jsonl", [line(1, ["pond"], [half], caption="x"), line(2, ["pond"], [half])]
    )
    findings = entry("rr7k").check(annotations=str(path))

    assert any("key 'caption' of 1 records is not read" in f.message for f in findings)


def test_keys_that_are_not_sa1bs_are_reported_and_named_where_labels_lack(tmp_path: Path) -> None:
    folder = tmp_path / "sa1b"
    named = sa1b(7, 1, 2)
    named["annotations"][1]["caption"] = "a pond"
    named["image"]["place"] = "garden"
    write(folder / "sa_7.json", named)
    write(folder / "sa_8.json", {**sa1b(8, 3), "source": "me"})
    labels = write(tmp_path / "labels.json", {"1": "pond"})
    findings = entry("rr7k").check(annotations=str(folder), labels=str(labels))

    notes = [f.message for f in findings if f.message.endswith("is not read")]
    assert notes == [
        f"key {key!r} of 1 of the 2 files is not read" for key in ("caption", "place", "source")
    ]
    with pytest.raises(SuiteOptionError, match=r"give option 'labels'.*'caption', 'place', 'sou"):
        rr7k(tmp_path, annotations=str(folder))


def test_sa1bs_own_keys_are_none_to_report(tmp_path: Path) -> None:
    write(tmp_path / "sa1b" / "sa_7.json", sa1b(7, 1))
    labels = write(tmp_path / "labels.json", {"1": "pond"})
    findings = entry("rr7k").check(annotations=str(tmp_path / "sa1b"), labels=str(labels))

    assert not [f.message for f in findings if "is not read" in f.message]
    with pytest.raises(SuiteOptionError, match=r"give option 'labels'.*\}$"):
        rr7k(tmp_path, annotations=str(tmp_path / "sa1b"))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (line(3, ["pond"], []), "1 labels for 0 masks"),
        (line(3, [None], [[SQUARE]]), "mask 0 has no label"),
        (line(3, ["pond"], [{"size": [9, 9], "counts": "04"}]), r"size \[9, 9\]"),
        (line(3, ["pond"], [[SQUARE]], width="wide"), "'width' is 'wide'"),
        ({"id": 3, "image": "a.jpg", "boxes": []}, "has no 'width'; it has: boxes, id, image"),
        (line(1, ["pond"], [[SQUARE]]), "id '000000000001' is listed twice"),
        ([1, 2], "line 2 is a list of 2"),
    ],
)
def test_a_bad_line_is_refused_by_name(tmp_path: Path, record: Any, reason: str) -> None:
    path = write_lines(tmp_path / "rr7k.jsonl", [line(1, ["pond"], [[SQUARE]]), record])

    with pytest.raises(DataInvalid, match=reason):
        rr7k(tmp_path, annotations=str(path))


def test_sa1b_files_give_the_masks_that_the_table_labels(tmp_path: Path) -> None:
    write(tmp_path / "masks" / "sa_12.json", sa1b(12, 900, 901))
    write(tmp_path / "masks" / "sa_3.json", sa1b(3, 77))
    labels = write(tmp_path / "labels.json", {"901": "pond", "77": "red car"})
    suite = rr7k(tmp_path, annotations=str(tmp_path / "masks"), labels=str(labels))

    assert suite.card.version == "v1-sa1b"
    frame = suite.references(Selection())
    assert frame["region_id"].tolist() == [
        "000000000003/000000000077",
        "000000000012/000000000901",
    ]
    assert frame["category"].tolist() == ["red car", "pond"]
    assert suite.record(1).path == tmp_path / "masks" / "sa_12.jpg"


def test_sa1b_files_alone_have_no_labels(tmp_path: Path) -> None:
    write(tmp_path / "masks" / "sa_12.json", sa1b(12, 900))

    with pytest.raises(SuiteOptionError, match="no labels; give option 'labels'"):
        rr7k(tmp_path, annotations=str(tmp_path / "masks"))


def test_labels_of_masks_that_are_not_there_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "masks" / "sa_12.json", sa1b(12, 900))
    labels = write(tmp_path / "labels.json", {"900": "pond", "901": "pond"})

    with pytest.raises(DataInvalid, match="names 1 annotations that none of the 1 files has: 901"):
        rr7k(tmp_path, annotations=str(tmp_path / "masks"), labels=str(labels))


@pytest.mark.parametrize("table", [["pond"], {"sa_1": "pond"}, {"900": ""}, {"900": 5}, {}])
def test_a_table_that_is_not_id_to_label_is_refused(tmp_path: Path, table: object) -> None:
    write(tmp_path / "masks" / "sa_12.json", sa1b(12, 900))
    labels = write(tmp_path / "labels.json", table)

    with pytest.raises(DataInvalid, match=r"labels\.json"):
        rr7k(tmp_path, annotations=str(tmp_path / "masks"), labels=str(labels))


def test_missing_data_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"get it from https://huggingface\.co/datasets/AAwcAA"):
        rr7k(tmp_path, annotations=str(tmp_path / "rr7k.jsonl"))
    with pytest.raises(SuiteOptionError, match="needs option 'annotations'"):
        rr7k(tmp_path)


@pytest.mark.shared
def test_real_sa1b_masks_have_their_stated_area(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "sa1b"
    stated = {}
    for path in folder.glob("sa_*.one_annotation.json"):
        (record,) = json.loads(path.read_text())["annotations"]
        stated[str(record["id"])] = record["area"]
    labels = write(tmp_path / "labels.json", dict.fromkeys(stated, "thing"))
    suite = rr7k(tmp_path, annotations=str(folder), labels=str(labels))

    areas = {}
    for index in range(len(suite)):
        record = suite.record(index)
        for region_id, mask in zip(record.region_ids, record.masks, strict=True):
            rle = {"size": list(mask.size), "counts": mask.counts}
            areas[str(int(region_id.split("/")[1]))] = int(pycocotools.mask.area(rle))
    assert areas == stated
    assert len(areas) == 2
