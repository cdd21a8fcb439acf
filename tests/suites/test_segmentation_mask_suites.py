from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from adapters.interface import Task
from suites.base import Suite, SuiteError
from tests.suites.segmentation_files import (
    opened,
    save,
    save_picture,
    scored,
    true_answers,
    values,
)

WALL, SKY, BED = 1, 3, 8  # values of ADE20K's maps
MICRO = "micro_accuracy/maskacc-maskclippp-v1"


def write_ade150(root: Path, **maps: Any) -> Path:
    for name, labels in maps.items():
        array = np.asarray(labels, np.uint8)
        save(root / "annotations" / "validation" / f"{name}.png", array)
        save_picture(root / "images" / "validation" / f"{name}.jpg", array.shape)
    return root


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    root = write_ade150(
        tmp_path / "ade",
        a=[[WALL, SKY, SKY], [WALL, 0, SKY]],
        b=[[WALL, WALL], [WALL, BED]],
        c=[[WALL, WALL], [0, 0]],
    )
    return opened("ade150", root)


def test_every_class_present_is_one_region_of_all_its_pixels(suite: Suite) -> None:
    record = suite.record(0)
    assert record.region_ids == ("a/00000000", "a/00000002")
    assert record.labels == ("wall", "sky")
    decoded = [coco.decode({"size": [2, 3], "counts": mask.counts}) for mask in record.masks]
    assert decoded[0].tolist() == [[1, 0, 0], [1, 0, 0]]
    assert decoded[1].tolist() == [[0, 1, 1], [0, 0, 1]]
    assert (suite.card.task, suite.card.protocol) == (Task.CATEGORY, "maskacc-maskclippp-v1")


def test_true_names_score_full_marks(suite: Suite) -> None:
    scores = scored(suite, true_answers(suite))
    assert values(scores) == {"mask_accuracy": 1.0, "micro_accuracy": 1.0}
    assert scores.main.count == 3  # classes that occur, of 150
    assert scores.counts.complete


def test_the_score_is_the_mean_over_classes_and_not_over_masks(suite: Suite) -> None:
    answers = true_answers(suite)
    answers.loc[answers["region_id"] == "c/00000000", "text"] = "sky"
    scores = scored(suite, answers)
    assert values(scores)["mask_accuracy"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert values(scores)["micro_accuracy"] == pytest.approx(4 / 5)
    rows = scores.categories.set_index("category")
    assert rows["value"].to_dict() == {"bed": 1.0, "sky": 1.0, "wall": pytest.approx(2 / 3)}
    assert rows["count"].to_dict() == {"bed": 1, "sky": 1, "wall": 3}
    assert scores.regions.set_index("region_id")[MICRO]["c/00000000"] == 0.0


def test_an_unanswerable_mask_is_wrong_and_a_missing_one_is_left_out(suite: Suite) -> None:
    answers = true_answers(suite)
    answers.loc[answers["region_id"] == "b/00000007", ["text", "status"]] = ["", "unanswerable"]
    scores = scored(suite, answers)
    assert values(scores)["mask_accuracy"] == pytest.approx(2 / 3)
    incomplete = scored(suite, answers[answers["region_id"] != "b/00000007"])
    assert not incomplete.counts.complete
    assert values(incomplete)["mask_accuracy"] == 1.0


def test_scores_of_no_answer_at_all_have_no_value(suite: Suite) -> None:
    scores = scored(suite, true_answers(suite).iloc[:0])
    assert values(scores) == {"mask_accuracy": None, "micro_accuracy": None}
    assert scores.counts.missing == 5


def test_an_answer_to_an_unknown_region_is_refused(suite: Suite) -> None:
    answers = true_answers(suite)
    answers.loc[0, "region_id"] = "a/00000149"
    with pytest.raises(SuiteError, match=r"not in the suite's selection: 'a/00000149'"):
        scored(suite, answers)


def test_macro_accuracy_of_random_answers_is_that_of_a_direct_count(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    maps = {f"m{n}": generator.choice([0, WALL, SKY, BED], (6, 5)) for n in range(12)}
    suite = opened("ade150", write_ade150(tmp_path / "ade", **maps))
    answers = true_answers(suite)
    truth = answers["text"].copy()
    answers["text"] = generator.choice(["wall", "sky", "bed"], len(answers))
    right = answers["text"] == truth
    scores = scored(suite, answers)
    assert values(scores)["mask_accuracy"] == pytest.approx(right.groupby(truth).mean().mean())
    assert values(scores)["micro_accuracy"] == pytest.approx(right.mean())
    assert scores.main.low is not None
    assert scores.main.high is not None
    assert scores.main.low < (scores.main.value or 0) < scores.main.high


def test_cityscapes_maps_are_read_by_label_id(tmp_path: Path) -> None:
    labels = np.array([[7, 26, 26], [0, 255, 33]], np.uint8)  # road, car; ignored; bicycle
    save(tmp_path / "city/gtFine/val/bonn/bonn_000001_000019_gtFine_labelIds.png", labels)
    save_picture(
        tmp_path / "city/leftImg8bit/val/bonn/bonn_000001_000019_leftImg8bit.png", labels.shape
    )
    suite = opened("cityscapes", tmp_path / "city")
    record = suite.record(0)
    assert (record.image_id, record.labels) == ("bonn_000001_000019", ("road", "car", "bicycle"))
    assert suite.query(0).image.size == (3, 2)


def test_coco_stuff_maps_are_read_by_category_id_less_one(tmp_path: Path) -> None:
    labels = np.array([[0, 181, 255]], np.uint8)  # person, wood, void
    save(tmp_path / "coco/stuffthingmaps/val2017/000000000139.png", labels)
    save_picture(tmp_path / "coco/val2017/000000000139.jpg", labels.shape)
    suite = opened("coco-stuff", tmp_path / "coco")
    assert suite.record(0).labels == ("person", "wood")
    assert suite.record(0).region_ids == ("000000000139/00000000", "000000000139/00000170")
    assert suite.query(0).image.size == (3, 1)


def test_sixteen_bit_maps_are_read_with_their_own_ignore_label(tmp_path: Path) -> None:
    labels = np.array([[0, 846], [65535, 846]], np.uint16)
    home = tmp_path / "ade" / "ADE20K_2021_17_01"
    save(home / "annotations_detectron2/validation/ADE_val_00000001.tif", labels)
    save_picture(home / "images_detectron2/validation/ADE_val_00000001.jpg", labels.shape)
    suite = opened("ade847", tmp_path / "ade")
    assert suite.record(0).region_ids[-1] == "ADE_val_00000001/00000846"
    assert len(suite.record(0).labels) == 2
    assert suite.query(0).image.size == (2, 2)


def test_pascal_context_takes_pictures_from_where_voc_put_them(tmp_path: Path) -> None:
    labels = np.array([[0, 458, 65535]], np.uint16)
    save(tmp_path / "data/pascal_ctx_d2/annotations_ctx459/validation/2008_000002.tif", labels)
    save_picture(tmp_path / "data/VOCdevkit/VOC2010/JPEGImages/2008_000002.jpg", labels.shape)
    suite = opened("pascal-context-459", tmp_path / "data")
    assert suite.record(0).labels == ("accordion", "wool")
    assert suite.query(0).image.size == (3, 1)
