from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from adapters.interface import Task
from metrics.mean_iou import class_iou, mean_iou
from metrics.panoptic_quality import class_quality, panoptic_quality
from suites.base import Suite, SuiteError
from suites.segmentation.cityscapes_sets import CITYSCAPES_PANOPTIC
from tests.suites.segmentation_files import (
    BED,
    BUILDING,
    CAR,
    PERSON,
    SKY,
    WALL,
    Panoptic,
    as_rgb,
    opened,
    save,
    scored,
    true_answers,
    values,
    write_ade20k,
)
from tests.suites.segmentation_pixels import LABELS, THINGS, pixel_counts, random_image

STREET = Panoptic.of(
    [
        [3, 3, 3, 3, 3, 3],
        [1, 1, 1, 2, 2, 2],
        [1, 1, 1, 2, 2, 2],
        [1, 4, 4, 5, 5, 0],
        [0, 4, 4, 5, 5, 0],
    ],
    {1: WALL, 2: BUILDING, 3: SKY, 4: CAR, 5: CAR},
)
ROOM = Panoptic.of([[1, 1, 1, 1], [2, 2, 3, 3]], {1: WALL, 2: BED, 3: PERSON})


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    write_ade20k(tmp_path / "ade", {"street": STREET, "room": ROOM})
    return opened("ade20k-panoptic", tmp_path / "ade")


def answered(suite: Suite, changes: dict[str, str | None]) -> pd.DataFrame:
    """True answers with some texts changed; ``None`` is an unanswerable region."""
    answers = true_answers(suite).set_index("region_id")
    for region, text in changes.items():
        answers.loc[region, "text"] = text or ""
        answers.loc[region, "status"] = "answered" if text else "unanswerable"
    return answers.reset_index()


def per_class(scores_frame: pd.DataFrame, metric: str) -> dict[str, float]:
    rows = scores_frame[scores_frame["metric"] == metric]
    return dict(zip(rows["category"], rows["value"], strict=True))


def test_the_card_names_protocol_metrics_and_short_phrases(suite: Suite) -> None:
    assert suite.card.protocol == "gtmask-osprey-v1"
    assert (suite.card.main_metric, suite.card.task) == ("pq", Task.PHRASE)
    assert {"pq", "sq", "rq", "miou"} <= {metric.name for metric in suite.card.metrics}


def test_true_names_score_full_marks(suite: Suite) -> None:
    scores = scored(suite, true_answers(suite))
    assert set(values(scores).values()) == {1.0}
    assert scores.main.value == 1.0
    assert scores.counts.complete
    assert (scores.main.low, scores.main.high) == (1.0, 1.0)


def test_a_swapped_thing_name_costs_exactly_the_two_classes_it_touches(suite: Suite) -> None:
    scores = scored(suite, answered(suite, {"street/00000004": LABELS[PERSON]}))
    pq = per_class(scores.categories, "pq")
    # car: one found, one missed; person: one found, one too many.
    assert pq[LABELS[CAR]] == pq[LABELS[PERSON]] == pytest.approx(1 / 1.5)
    assert {pq[label] for label in pq if label not in (LABELS[CAR], LABELS[PERSON])} == {1.0}
    iou = per_class(scores.categories, "iou")
    assert iou[LABELS[CAR]] == 4 / 8
    assert iou[LABELS[PERSON]] == 2 / 6
    found = values(scores)
    assert found["pq[stuff]"] == 1.0
    assert found["pq[things]"] == pytest.approx((1 / 1.5 + 1 / 1.5 + 1) / 3)
    assert found["pq"] == pytest.approx((3 + 1 + 2 / 1.5) / 6)
    assert found["segment_accuracy"] == 7 / 8


def test_segments_called_the_same_stuff_become_one_segment(suite: Suite) -> None:
    scores = scored(suite, answered(suite, {"street/00000002": LABELS[WALL]}))
    # wall (7 of 13 pixels in the street) is found with IoU 7 / 13, building is missed.
    pq = per_class(scores.categories, "pq")
    assert pq[LABELS[WALL]] == pytest.approx((7 / 13 + 1) / 2)
    assert pq[LABELS[BUILDING]] == 0.0


def test_an_unanswerable_segment_is_missed_and_nothing_else(suite: Suite) -> None:
    scores = scored(suite, answered(suite, {"street/00000004": None}))
    assert scores.counts.unanswerable == 1
    assert scores.counts.complete
    pq = per_class(scores.categories, "pq")
    assert pq[LABELS[CAR]] == pytest.approx(1 / 1.5)
    assert {pq[label] for label in pq if label != LABELS[CAR]} == {1.0}
    assert per_class(scores.categories, "iou")[LABELS[CAR]] == 4 / 8


def test_a_missing_answer_leaves_the_score_incomplete(suite: Suite) -> None:
    answers = true_answers(suite).iloc[1:]
    scores = scored(suite, answers)
    assert not scores.counts.complete
    assert scores.counts.missing == 1
    assert scores.regions["segment_accuracy/gtmask-osprey-v1"].isna().sum() == 1


def test_regions_show_what_was_understood(suite: Suite) -> None:
    scores = scored(suite, answered(suite, {"street/00000004": LABELS[PERSON]}))
    row = scores.regions.set_index("region_id").loc["street/00000004"]
    assert (row["category"], row["reference"]) == (LABELS[CAR], LABELS[CAR])
    assert (row["text"], row["predicted"]) == (LABELS[PERSON], LABELS[PERSON])
    assert row["segment_accuracy/gtmask-osprey-v1"] == 0.0
    assert scores.regions["region_id"].is_monotonic_increasing


def test_a_crowd_is_asked_about_but_never_missed(tmp_path: Path) -> None:
    image = Panoptic.of([[4, 4, 5, 5], [1, 1, 1, 1]], {1: WALL, 4: CAR, 5: CAR}, crowd=[5])
    write_ade20k(tmp_path / "ade", {"street": image})
    suite = opened("ade20k-panoptic", tmp_path / "ade")
    assert len(suite.record(0).region_ids) == 3
    scores = scored(suite, answered(suite, {"street/00000005": None}))
    assert values(scores)["pq"] == 1.0
    assert values(scored(suite, true_answers(suite)))["pq"] == 1.0


def test_a_true_segments_area_is_the_listed_one_as_in_the_panoptic_api(tmp_path: Path) -> None:
    # Four of the wall's ten listed pixels were covered when things were drawn.
    image = Panoptic.of([[1, 1, 1, 4], [1, 1, 1, 4]], {1: WALL, 4: CAR}, areas={1: 10})
    write_ade20k(tmp_path / "ade", {"street": image})
    suite = opened("ade20k-panoptic", tmp_path / "ade")
    scores = scored(suite, true_answers(suite))
    assert per_class(scores.categories, "pq") == {LABELS[WALL]: 0.6, LABELS[CAR]: 1.0}
    assert values(scores)["miou"] == 1.0


def test_a_listed_segment_without_a_pixel_is_missed_but_not_asked_about(tmp_path: Path) -> None:
    image = Panoptic.of(
        [[1, 1], [1, 1]], {1: WALL, 2: SKY}, areas={2: 3}
    )  # things were drawn over all of the sky
    write_ade20k(tmp_path / "ade", {"street": image})
    suite = opened("ade20k-panoptic", tmp_path / "ade")
    assert suite.record(0).region_ids == ("street/00000001",)
    scores = scored(suite, true_answers(suite))
    assert per_class(scores.categories, "pq") == {LABELS[WALL]: 1.0, LABELS[SKY]: 0.0}


def test_the_301st_segment_is_not_asked_about_and_its_pixels_become_the_first_class(
    tmp_path: Path,
) -> None:
    ids = np.arange(1, 302).reshape(7, 43)
    image = Panoptic.of(ids, {int(label): CAR for label in ids.ravel()})
    write_ade20k(tmp_path / "ade", {"lot": image})
    suite = opened("ade20k-panoptic", tmp_path / "ade")
    assert len(suite.record(0).region_ids) == 300
    scores = scored(suite, true_answers(suite))
    assert values(scores)["rq"] == pytest.approx(300 / 300.5)
    assert values(scores)["miou"] == 300 / 301


def test_an_answer_to_an_unknown_region_is_refused(suite: Suite) -> None:
    answers = true_answers(suite)
    answers.loc[0, "region_id"] = "street/00000099"
    with pytest.raises(SuiteError, match="not in the suite's selection: 'street/00000099'"):
        scored(suite, answers)


@pytest.mark.parametrize("seed", range(5))
def test_the_index_gives_the_numbers_of_the_pixels(tmp_path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    images = {f"image_{n}": random_image(generator) for n in range(6)}
    write_ade20k(tmp_path / "ade", images)
    suite = opened("ade20k-panoptic", tmp_path / "ade")
    answers = true_answers(suite)
    wrong = generator.random(len(answers)) < 0.5
    named = generator.choice([WALL, SKY, BED, PERSON, CAR], len(answers))
    answers.loc[wrong, "text"] = [LABELS[klass] for klass in named[wrong]]
    scores = scored(suite, answers)

    matches, pixels = pixel_counts(images, dict(answers[["region_id", "text"]].to_numpy()))
    quality = panoptic_quality(matches)
    assert values(scores)["pq"] == quality.pq
    assert values(scores)["sq"] == quality.sq
    assert values(scores)["rq[things]"] == panoptic_quality(matches, THINGS).rq
    assert values(scores)["pq[stuff]"] == panoptic_quality(matches, ~THINGS).pq
    assert values(scores)["miou"] == mean_iou(pixels).value
    for metric, expected in (("pq", class_quality(matches).pq), ("iou", class_iou(pixels))):
        found = per_class(scores.categories, metric)
        assert found == {
            LABELS[klass]: expected[klass] for klass in np.flatnonzero(~np.isnan(expected))
        }


def test_intervals_come_from_drawing_whole_images(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    write_ade20k(tmp_path / "ade", {f"image_{n}": random_image(generator) for n in range(8)})
    suite = opened("ade20k-panoptic", tmp_path / "ade")
    answers = true_answers(suite)
    answers.loc[::3, "text"] = LABELS[SKY]
    first, second = (scored(suite, answers, resamples=200) for _ in range(2))
    assert first.table == second.table
    for score in first.table:
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.high
    assert first.main.low < first.main.value < first.main.high  # type: ignore[operator]


def test_frames_have_one_row_per_region_and_one_per_class_that_counts(suite: Suite) -> None:
    scores = scored(suite, true_answers(suite))
    assert list(scores.regions["region_id"]) == sorted(true_answers(suite)["region_id"])
    expected: NDArray[np.str_] = np.unique(
        [LABELS[c] for c in (WALL, BUILDING, SKY, BED, PERSON, CAR)]
    )
    for metric in ("pq", "sq", "rq", "iou"):
        assert list(per_class(scores.categories, metric)) == expected.tolist()
    counts = scores.categories.set_index(["metric", "category"])["count"]
    assert counts["pq", LABELS[CAR]] == 2


@pytest.mark.parametrize(("suffix", "road", "car"), [("", 7, 26), ("_trainId", 0, 13)])
def test_cityscapes_panoptic_files_may_number_by_label_or_train_id(
    tmp_path: Path, suffix: str, road: int, car: int
) -> None:
    root, name = tmp_path / "cityscapes", "bonn_000001_000019"
    labels = np.array([[7, 7, 26, 26]], np.uint8)
    ids = np.array([[7, 7, 26000, 26000]])
    save(root / f"gtFine/val/bonn/{name}_gtFine_labelIds.png", labels)
    form = f"cityscapes_panoptic_val{suffix}"
    save(root / f"gtFine/{form}/{name}_gtFine_panoptic.png", as_rgb(ids))
    numbers = range(19) if suffix else CITYSCAPES_PANOPTIC.category_ids[0]
    listed = [
        {"id": label, "category_id": category, "area": 2, "iscrowd": 0}
        for label, category in ((7, road), (26000, car))
    ]
    document = {
        "images": [{"id": name, "width": 4, "height": 1}],
        "annotations": [
            {
                "image_id": name,
                "file_name": f"{name}_gtFine_panoptic.png",
                "segments_info": listed,
            }
        ],
        "categories": [{"id": number} for number in numbers],
    }
    (root / f"gtFine/{form}.json").write_text(json.dumps(document))
    suite = opened("cityscapes-panoptic", root)
    assert suite.record(0).labels == ("road", "car")
    assert suite.record(0).path == root / f"leftImg8bit/val/bonn/{name}_leftImg8bit.png"
    assert values(scored(suite, true_answers(suite)))["pq"] == 1.0
