"""Panoptic quality against the panoptic API's outputs and published values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from metrics.bootstrap import interval_of
from metrics.errors import MetricError
from metrics.panoptic import PanopticCounts, count_maps, count_matches, predicted_segments
from metrics.panoptic_quality import class_quality, panoptic_draws, panoptic_quality
from metrics.segment_tables import PanopticTable, Segments
from tests.metrics.panoptic_scenes import listed, read_ids

FOLDER = Path(__file__).parents[1] / "goldens" / "panoptic"
GOLDENS = json.loads((FOLDER / "cases.json").read_text())
NUMBER = len(GOLDENS["categories"])
THINGS = np.array([category["isthing"] == 1 for category in GOLDENS["categories"]])


def _counts(case: dict[str, Any]) -> PanopticCounts:
    return count_maps(
        read_ids(FOLDER / "gt" / case["gt"]["file_name"]),
        listed(case["gt"]["segments_info"], first_category=1),
        read_ids(FOLDER / "pred" / case["pred"]["file_name"]),
        listed(case["pred"]["segments_info"], first_category=1),
        classes=NUMBER,
    )


def _assert_equal(counts: PanopticCounts, expected: dict[str, Any]) -> None:
    absent = {"tp": 0, "fp": 0, "fn": 0, "iou": 0.0}
    for klass in range(NUMBER):
        wanted = expected["per_category"].get(str(klass + 1), absent)
        assert counts.true_positives[:, klass].sum() == wanted["tp"]
        assert counts.false_positives[:, klass].sum() == wanted["fp"]
        assert counts.false_negatives[:, klass].sum() == wanted["fn"]
        assert counts.iou[:, klass].sum() == pytest.approx(wanted["iou"], abs=1e-12)
    for name, group in (("all", None), ("things", THINGS), ("stuff", ~THINGS)):
        quality = panoptic_quality(counts, group)
        wanted = expected["summary"][name]
        if wanted is None:
            assert quality == (None, None, None, 0)
        else:
            assert quality.classes == wanted["n"]
            assert quality[:3] == pytest.approx(
                (wanted["pq"], wanted["sq"], wanted["rq"]), abs=1e-12
            )


@pytest.mark.parametrize("number", range(len(GOLDENS["cases"])))
def test_the_panoptic_api_gives_the_same_numbers_for_every_golden_case(number: int) -> None:
    case = GOLDENS["cases"][number]
    _assert_equal(_counts(case), case["expected"])


def test_the_panoptic_api_gives_the_same_numbers_for_all_cases_together() -> None:
    counts = PanopticCounts.join([_counts(case) for case in GOLDENS["cases"]])
    _assert_equal(counts, GOLDENS["expected_all"])


# Pictures of google-research/deeplab2, evaluation/testdata; the classes of their gray levels
# and colours are facts of that project's panoptic_quality_test.py.
TRUE_CLASSES = {
    "team": dict.fromkeys((47, 97, 133, 150, 174, 215, 244, 255), 1) | {198: 2},
    "bird": {92: 5, 176: 3, 255: 4},
    "cat": {255: 6},
}
COLOURS = [(0, 0, 0), (0, 0, 255), (255, 0, 0), (0, 255, 0), (255, 0, 255), (0, 255, 255)]
COLOURS += [(255, 255, 0)]


def _deeplab2_counts(folder: Path, name: str, classes: int) -> PanopticCounts:
    truth_file = folder / ("team_gt_instance.png" if name == "team" else f"{name}_gt.png")
    truth_map = np.asarray(Image.open(truth_file).convert("L"))
    truth = Segments.of(list(TRUE_CLASSES[name]), list(TRUE_CLASSES[name].values()))
    colours = np.asarray(Image.open(folder / f"{name}_pred_class.png").convert("RGB"))
    class_map = np.full(colours.shape[:2], -1)
    for klass, colour in enumerate(COLOURS):
        class_map[(colours == colour).all(axis=-1)] = klass
    instance_map = np.asarray(Image.open(folder / f"{name}_pred_instance.png").convert("L"))
    # A predicted segment is an instance of a class; class 0 is void.
    predicted_map = np.where(class_map == 0, 0, class_map * 256 + instance_map)
    ids = np.setdiff1d(predicted_map, [0])
    predicted = Segments.of(ids.tolist(), (ids // 256).tolist())
    return count_maps(truth_map, truth, predicted_map, predicted, classes=classes)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("names", "classes", "expected"),
    [
        (["team"], 3, (0.62156284, 0.64664984, 0.9666667)),
        (["bird", "cat", "team"], 7, (0.76855499, 0.7769174, 0.98888892)),
    ],
)
def test_deeplab2s_reference_pictures_score_as_published(
    shared: Path, names: list[str], classes: int, expected: tuple[float, float, float]
) -> None:
    folder = shared / "data" / "pq_reference_deeplab2"
    counts = PanopticCounts.join([_deeplab2_counts(folder, name, classes) for name in names])
    assert panoptic_quality(counts)[:3] == pytest.approx(expected, abs=5e-8)


def _row(*ids: int) -> NDArray[np.int64]:
    return np.array([ids])


def test_class_quality_is_nan_only_for_classes_that_do_not_count() -> None:
    counts = count_maps(
        _row(1, 1, 2, 2),
        Segments.of([1, 2], [0, 1]),
        _row(5, 5, 6, 6),
        Segments.of([5, 6], [0, 2]),
        classes=4,
    )
    pq, sq, rq = class_quality(counts)
    assert np.array_equal(pq, [1, 0, 0, np.nan], equal_nan=True)
    assert np.array_equal(sq, [1, 0, 0, np.nan], equal_nan=True)
    assert np.array_equal(rq, [1, 0, 0, np.nan], equal_nan=True)
    assert panoptic_quality(counts) == (1 / 3, 1 / 3, 1 / 3, 3)


@pytest.mark.parametrize(("crowds", "spurious"), [([1, 2], 1), ([2, 1], 0)])
def test_only_the_last_listed_crowd_of_a_class_excuses_a_prediction(
    crowds: list[int], spurious: int
) -> None:
    # The prediction lies by three quarters in crowd segment 1.
    counts = count_maps(
        _row(1, 1, 1, 2),
        Segments.of(crowds, [0, 0], [True, True]),
        _row(5, 5, 5, 5),
        Segments.of([5], [0]),
        classes=1,
    )
    assert counts.false_positives.tolist() == [[spurious]]
    assert counts.false_negatives.tolist() == [[0]]


def test_true_pixels_that_the_annotation_does_not_list_are_not_void() -> None:
    # Half of the prediction lies on such pixels: IoU 2/4 is no match, and nothing excuses it.
    counts = count_maps(
        _row(1, 1, 9, 9), Segments.of([1], [0]), _row(5, 5, 5, 5), Segments.of([5], [0]), classes=1
    )
    assert counts.true_positives.sum() == 0
    assert counts.false_positives.sum() == counts.false_negatives.sum() == 1


def test_a_true_segment_without_a_pixel_is_missed() -> None:
    counts = count_maps(
        _row(1, 1), Segments.of([1, 2], [0, 1]), _row(5, 5), Segments.of([5], [0]), classes=2
    )
    assert counts.false_negatives.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (Segments.of([5], [0]), "6 is in the map but not listed"),
        (Segments.of([5, 6, 7], [0, 0, 0]), "7 is listed but has no pixel"),
        (Segments.of([5, 6], [0, 3]), "class index 3"),
        (Segments.of([5, 6], [0, -1]), "class index -1"),
    ],
)
def test_a_prediction_that_contradicts_its_map_is_refused(
    predicted: Segments, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        count_maps(_row(1, 1), Segments.of([1], [0]), _row(5, 6), predicted, classes=3)


@pytest.mark.parametrize(
    ("ids", "classes", "crowd", "message"),
    [
        ([1, 1], [0, 0], None, "listed twice"),
        ([0], [0], None, "void"),
        ([1], [0, 0], None, r"classes \(2\)"),
        ([1], [0], [True, False], r"crowd flags \(2\)"),
    ],
)
def test_segments_that_cannot_be_told_apart_are_refused(
    ids: list[int], classes: list[int], crowd: list[bool] | None, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        Segments.of(ids, classes, crowd)


def test_answers_and_segments_must_be_as_many() -> None:
    table = PanopticTable.of_maps(_row(1), np.array([1]), _row(1), Segments.of([1], [0]))
    with pytest.raises(MetricError, match="2 classes for 1 segments"):
        predicted_segments(table, np.array([0, 0]), np.array([True]))


def test_an_image_without_segments_counts_for_nothing() -> None:
    nothing = Segments.of([], [])
    table = PanopticTable.of_maps(_row(0, 0), nothing.ids, _row(0, 0), nothing)
    joined = PanopticTable.join([table, table])
    prediction = predicted_segments(joined, np.empty(0, np.intp), THINGS)
    counts = count_matches(prediction.table, prediction.classes, classes=NUMBER)
    assert counts.iou.shape == (2, NUMBER)
    assert panoptic_quality(counts) == (None, None, None, 0)


def test_intervals_hold_the_score_and_need_two_images() -> None:
    counts = PanopticCounts.join([_counts(case) for case in GOLDENS["cases"]])
    for group in (None, THINGS, ~THINGS):
        score = panoptic_quality(counts, group)
        draws = panoptic_draws(counts, group, resamples=200, seed=1)
        for value, drawn in zip(score[:3], draws.T, strict=True):
            interval = interval_of(drawn)
            assert value is not None
            assert interval.low is not None
            assert interval.high is not None
            assert 0 <= interval.low < value < interval.high <= 1
    once, again = (panoptic_draws(counts, resamples=50) for _ in range(2))
    assert np.array_equal(once, again)
    single = panoptic_draws(_counts(GOLDENS["cases"][0]), resamples=50)
    assert single.shape == (0, 3)


def test_intervals_of_equal_images_are_a_point() -> None:
    counts = PanopticCounts.join([_counts(GOLDENS["cases"][0])] * 5)
    draws = panoptic_draws(counts, resamples=20)[:, 0]
    assert draws == pytest.approx(np.full(20, panoptic_quality(counts).pq))
