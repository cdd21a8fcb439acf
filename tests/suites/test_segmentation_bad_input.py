"""Damaged and contradictory segmentation files: each is named, with what was expected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suites.base import DataInvalid, DataMissing, PictureError, Selection, SuiteOptionError
from tests.suites.segmentation_files import (
    CAR,
    WALL,
    Panoptic,
    as_rgb,
    opened,
    save,
    save_picture,
    scored,
    true_answers,
    write_ade20k,
)

STREET = Panoptic.of([[1, 1, 4, 4], [1, 1, 4, 0]], {1: WALL, 4: CAR})
MAP = "annotations/validation/street.png"
PANOPTIC_MAP = "ade20k_panoptic_val/street.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_ade20k(tmp_path / "ade", {"street": STREET})
    return tmp_path / "ade"


def edit(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = root / "ade20k_panoptic_val.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def segments(document: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = document["annotations"][0]["segments_info"]
    return listed


def test_a_segment_in_the_map_that_the_json_does_not_list(root: Path) -> None:
    edit(root, lambda document: segments(document).pop())
    with pytest.raises(DataInvalid, match=r"street\.png shows segment 4.*'street' does not list"):
        opened("ade20k-panoptic", root)


def test_a_segment_in_the_json_that_the_map_does_not_show_is_a_miss(root: Path) -> None:
    ghost = {"id": 9, "category_id": CAR, "area": 5, "bbox": [0, 0, 1, 1], "iscrowd": 0}
    edit(root, lambda document: segments(document).append(ghost))
    suite = opened("ade20k-panoptic", root)
    scores = scored(suite, true_answers(suite))
    assert scores.counts.expected == 2
    quality = scores.categories.set_index(["metric", "category"])["value"]
    assert quality["rq", "car"] == pytest.approx(1 / 1.5)


def test_a_panoptic_map_of_another_size_than_the_json_says(root: Path) -> None:
    save(root / PANOPTIC_MAP, as_rgb(STREET.ids[:, :3]))
    with pytest.raises(DataInvalid, match=r"street\.png is 3×2 pixels, .*'street' says 4×2"):
        opened("ade20k-panoptic", root)


def test_a_semantic_map_of_another_size_than_the_panoptic_one(root: Path) -> None:
    save(root / MAP, np.ones((2, 5), np.uint8))
    with pytest.raises(DataInvalid, match=r"validation/street\.png is 5×2 pixels.* says 4×2"):
        opened("ade20k-panoptic", root)


def test_a_picture_of_another_size_than_its_maps(root: Path) -> None:
    save_picture(root / "images/validation/street.jpg", (2, 3))
    suite = opened("ade20k-panoptic", root)
    with pytest.raises(PictureError, match=r"street\.jpg is 3×2 pixels, the annotation says 4×2"):
        suite.query(0)


def test_a_label_outside_the_vocabulary(root: Path) -> None:
    save(root / MAP, np.array([[1, 1, 151, 200], [1, 1, 1, 0]], np.uint8))
    for name in ("ade20k-panoptic", "ade150"):
        with pytest.raises(DataInvalid, match=r"street\.png holds 151, 200, none of the 150"):
            opened(name, root)


def test_a_category_outside_the_files_categories(root: Path) -> None:
    edit(root, lambda document: segments(document)[0].update(category_id=150))
    with pytest.raises(DataInvalid, match="category 150 is none of the file's categories"):
        opened("ade20k-panoptic", root)


def test_eight_bits_where_sixteen_are_due(tmp_path: Path) -> None:
    path = tmp_path / "ade/annotations_detectron2/validation/a.tif"
    save(path, np.zeros((2, 2), np.uint8))
    with pytest.raises(DataInvalid, match=r"a\.tif is 8-bit, 16-bit was expected"):
        opened("ade847", tmp_path / "ade")


def test_sixteen_bits_where_eight_are_due(root: Path) -> None:
    save(root / MAP, np.ones((2, 4), np.uint16))
    with pytest.raises(DataInvalid, match=r"street\.png is 16-bit, 8-bit was expected"):
        opened("ade150", root)


def test_a_coloured_picture_where_labels_are_due(root: Path) -> None:
    save(root / MAP, np.ones((2, 4, 3), np.uint8))
    with pytest.raises(DataInvalid, match=r"street\.png has 3 channels, one was expected"):
        opened("ade150", root)


def test_a_grey_picture_where_segment_ids_are_due(root: Path) -> None:
    save(root / PANOPTIC_MAP, np.ones((2, 4), np.uint8))
    with pytest.raises(DataInvalid, match=r"street\.png is no 8-bit RGB picture"):
        opened("ade20k-panoptic", root)


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_a_map_that_cannot_be_decoded(root: Path, content: bytes) -> None:
    (root / MAP).write_bytes(content)
    with pytest.raises(DataInvalid, match=r"street\.png cannot be decoded"):
        opened("ade150", root)


def test_a_map_that_is_cut_off(root: Path) -> None:
    generator = np.random.default_rng(0)
    save(root / MAP, generator.integers(1, 150, (200, 300)).astype(np.uint8))
    content = (root / MAP).read_bytes()
    (root / MAP).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataInvalid, match=r"street\.png cannot be decoded"):
        opened("ade150", root)


def test_a_map_the_json_names_that_is_not_there(root: Path) -> None:
    (root / PANOPTIC_MAP).unlink()
    with pytest.raises(DataMissing, match=r"ade20k_panoptic_val/street\.png is missing"):
        opened("ade20k-panoptic", root)


def test_a_json_file_that_is_cut_off(root: Path) -> None:
    path = root / "ade20k_panoptic_val.json"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(DataInvalid, match=r"ade20k_panoptic_val\.json is cut off"):
        opened("ade20k-panoptic", root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("images"), "lists no images"),
        (lambda d: d["annotations"].clear(), "lists image 'street', but no annotation"),
        (lambda d: d["images"][0].update(id="square"), "annotates image 'street', which it does"),
        (lambda d: d["categories"].pop(), r"has categories 0 … 148 \(149\); ade20k-panoptic has 0"),
        (lambda d: segments(d)[1].update(id=1), "id 1 is listed before"),
        (lambda d: segments(d)[1].update(id=0), "id 0 is none a panoptic map can hold"),
        (lambda d: segments(d)[1].pop("area"), "segment 2 has no 'area'"),
        (lambda d: segments(d)[1].update(iscrowd="no"), "'iscrowd' is 'no', but a whole number"),
        (lambda d: d["annotations"][0].update(segments_info={}), "but a list was expected"),
        (lambda d: d["annotations"][0].update(file_name="../x.png"), "a name without folders"),
        (lambda d: d["images"][0].update(width=0), "cannot be 0×2 pixels"),
    ],
)
def test_a_json_file_that_contradicts_itself(
    root: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(root, change)
    with pytest.raises(DataInvalid, match=message):
        opened("ade20k-panoptic", root)


def test_an_image_without_any_class_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "ade/annotations/validation"
    save(folder / "a.png", np.zeros((2, 2), np.uint8))
    save(folder / "b.png", np.ones((2, 2), np.uint8))
    suite = opened("ade150", tmp_path / "ade")
    assert len(suite) == 1
    assert list(suite.references(Selection())["image_id"]) == ["b"]


def test_a_root_that_is_not_given_or_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"semantic maps \(.*\) are missing; get http"):
        opened("ade150", tmp_path)
    with pytest.raises(DataMissing, match="run `bench data prepare ade847`"):
        opened("ade847", tmp_path)
    from suites.registry import entry

    with pytest.raises(SuiteOptionError, match="suite 'ade150' needs its data: give option 'root'"):
        entry("ade150").load(cache=tmp_path)
