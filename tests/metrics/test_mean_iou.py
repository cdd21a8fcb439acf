"""Mean IoU against a confusion matrix written out by hand."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from metrics.bootstrap import interval_of
from metrics.errors import MetricError
from metrics.mean_iou import (
    PixelCounts,
    class_iou,
    count_maps,
    count_pixels,
    mean_iou,
    mean_iou_draws,
)
from metrics.segment_tables import NO_CLASS, SemanticTable
from tests.metrics.panoptic_scenes import CLASSES, Scene, scenes

IGNORE = 255


def _counts(images: list[Scene]) -> PixelCounts:
    return PixelCounts.join(
        [
            count_maps(
                scene.class_map,
                scene.segment_map,
                scene.segment_ids,
                scene.answered,
                classes=CLASSES,
                ignore=IGNORE,
            )
            for scene in images
        ]
    )


def _confusion(scene: Scene) -> NDArray[np.int64]:
    """True × predicted class, pixel by pixel; the last column is for no class."""
    answers = dict(zip(scene.segment_ids.tolist(), scene.answered.tolist(), strict=True))
    matrix = np.zeros((CLASSES, CLASSES + 1), np.int64)
    for true, label in zip(scene.class_map.flat, scene.segment_map.flat, strict=True):
        if true != IGNORE:
            matrix[true, answers.get(int(label), 0)] += 1
    return matrix


@given(st.lists(scenes(), min_size=1, max_size=3))
def test_iou_follows_from_one_confusion_matrix_over_the_set(images: list[Scene]) -> None:
    matrix = np.sum([_confusion(scene) for scene in images], axis=0)
    expected = []
    for klass in range(CLASSES):
        right = matrix[klass, klass]
        union = matrix[klass].sum() + matrix[:, klass].sum() - right
        expected.append(right / union if matrix[klass].sum() else np.nan)

    counts = _counts(images)

    assert np.array_equal(class_iou(counts), expected, equal_nan=True)
    occurring = [iou for iou in expected if not np.isnan(iou)]
    value, classes = mean_iou(counts)
    assert classes == len(occurring)
    assert value == (pytest.approx(np.mean(occurring), abs=1e-15) if occurring else None)


@given(st.lists(scenes(), min_size=1, max_size=3))
def test_joined_tables_give_the_same_counts_as_pixels(images: list[Scene]) -> None:
    table = SemanticTable.join(
        [
            SemanticTable.of_maps(
                scene.segment_map, scene.segment_ids, scene.class_map, ignore=IGNORE
            )
            for scene in images
        ]
    )
    answered = np.concatenate([scene.answered for scene in images])
    by_tables = count_pixels(table, answered, classes=CLASSES)
    for one, other in zip(astuple(by_tables), astuple(_counts(images)), strict=True):
        assert np.array_equal(one, other)


@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_segments_changes_nothing(scene: Scene, random: Random) -> None:
    order = list(range(len(scene.answered)))
    random.shuffle(order)
    shuffled = replace(scene, segment_ids=scene.segment_ids[order], answered=scene.answered[order])
    for one, other in zip(astuple(_counts([scene])), astuple(_counts([shuffled])), strict=True):
        assert np.array_equal(one, other)


@given(scenes())
def test_the_truth_as_prediction_is_perfect(scene: Scene) -> None:
    classes = np.arange(CLASSES)
    perfect = replace(scene, segment_map=scene.class_map, segment_ids=classes, answered=classes)
    value, number = mean_iou(_counts([perfect]))
    assert value == (1.0 if number else None)
    assert number == len(np.setdiff1d(scene.class_map, [IGNORE]))


def _iou(segments: list[int], classes: list[int], truth: list[int]) -> list[float]:
    counts = count_maps(
        np.array(truth),
        np.array(segments),
        np.arange(1, 1 + len(classes)),
        np.array(classes),
        classes=3,
        ignore=IGNORE,
    )
    iou: list[float] = class_iou(counts).tolist()
    return iou


def test_a_pixel_in_no_segment_is_class_0() -> None:
    assert _iou([0, 1, 1, 9], [1], [0, 1, 1, 1])[:2] == [1 / 2, 2 / 3]


def test_a_segment_without_a_class_is_missed_but_not_class_0() -> None:
    assert _iou([1, 2, 2], [NO_CLASS, 1], [0, 1, 1])[:2] == [0, 1]
    assert _iou([0, 1, 2], [NO_CLASS, 1], [0, 1, 1])[:2] == [1, 1 / 2]


def test_predictions_of_a_class_that_never_occurs_only_hurt_the_class_they_cover() -> None:
    first, second, absent = _iou([1, 1, 2, 2], [0, 2], [0, 0, 1, 1])
    assert (first, second) == (1, 0)
    assert np.isnan(absent)


def test_ignored_pixels_are_in_no_union() -> None:
    assert _iou([1, 1, 2, 2], [0, 1], [0, IGNORE, 1, IGNORE])[:2] == [1, 1]


@pytest.mark.parametrize(
    ("classes", "truth", "message"),
    [
        ([0], [3], "class index 3"),
        ([3], [0], "class index 3"),
        ([-2], [0], "class index -2"),
    ],
)
def test_classes_outside_the_vocabulary_are_refused(
    classes: list[int], truth: list[int], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        _iou([1], classes, truth)


def test_a_segment_listed_twice_is_refused() -> None:
    with pytest.raises(MetricError, match="5 is listed twice"):
        SemanticTable.of_maps(np.array([5]), np.array([5, 5]), np.array([0]), ignore=None)


def test_the_interval_holds_the_score_and_needs_two_images() -> None:
    rng = np.random.default_rng(5)
    classes = np.arange(4)
    counts = PixelCounts.join(
        [
            count_maps(
                rng.integers(4, size=50),
                rng.integers(4, size=50),
                classes,
                classes,
                classes=4,
                ignore=None,
            )
            for _ in range(20)
        ]
    )
    low, high = interval_of(mean_iou_draws(counts, resamples=200, seed=3))
    value = mean_iou(counts).value
    assert value is not None
    assert low is not None
    assert high is not None
    assert 0 < low < value < high < 1
    first = PixelCounts(counts.right[:1], counts.truth[:1], counts.predicted[:1])
    assert not mean_iou_draws(first, resamples=10).size
