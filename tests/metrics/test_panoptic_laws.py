"""What holds for panoptic quality on any maps."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.panoptic import PanopticCounts, count_maps, count_matches, predicted_segments
from metrics.panoptic_quality import panoptic_quality
from metrics.segment_tables import VOID, PanopticTable, Segments
from tests.metrics.panoptic_scenes import CLASSES, THINGS, Scene, painted, scenes


def _table(scene: Scene) -> PanopticTable:
    return PanopticTable.of_maps(scene.segment_map, scene.segment_ids, scene.truth_map, scene.truth)


def _by_tables(images: list[Scene]) -> PanopticCounts:
    table = PanopticTable.join([_table(scene) for scene in images])
    answered = np.concatenate([scene.answered for scene in images])
    prediction = predicted_segments(table, answered, THINGS)
    return count_matches(prediction.table, prediction.classes, classes=CLASSES)


def _by_pixels(images: list[Scene]) -> PanopticCounts:
    return PanopticCounts.join(
        [
            count_maps(scene.truth_map, scene.truth, *painted(scene), classes=CLASSES)
            for scene in images
        ]
    )


def _same(first: PanopticCounts, second: PanopticCounts) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(astuple(first), astuple(second), strict=True))


@given(st.lists(scenes(), min_size=1, max_size=4))
def test_tables_and_pixels_give_the_same_counts_to_the_last_bit(images: list[Scene]) -> None:
    assert _same(_by_tables(images), _by_pixels(images))


@given(scenes(crowds_of_a_class=1), st.randoms(use_true_random=False))
def test_the_order_of_segments_changes_nothing(scene: Scene, random: Random) -> None:
    asked, true = list(range(len(scene.answered))), list(range(len(scene.truth.ids)))
    random.shuffle(asked)
    random.shuffle(true)
    shuffled = replace(
        scene,
        segment_ids=scene.segment_ids[asked],
        answered=scene.answered[asked],
        truth=Segments(
            scene.truth.ids[true],
            scene.truth.classes[true],
            scene.truth.crowd[true],
            None if scene.truth.areas is None else scene.truth.areas[true],
        ),
    )
    assert _same(_by_tables([scene]), _by_tables([shuffled]))


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_many_matches_changes_no_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = np.arange(1, 31)
    truth_map = np.repeat(ids, rng.integers(20, 60, size=30))
    scene = Scene(
        segment_map=np.roll(truth_map, 3),
        segment_ids=ids,
        answered=np.zeros(30, np.intp),
        truth_map=truth_map,
        truth=Segments.of(ids.tolist(), [0] * 30),
        class_map=truth_map,
    )
    counts = [
        _by_tables([replace(scene, segment_ids=order)]) for order in (ids, rng.permutation(ids))
    ]
    assert counts[0].true_positives.sum() == 30
    assert _same(*counts)


@given(st.lists(scenes(), min_size=2, max_size=4))
def test_the_images_of_a_set_do_not_touch_each_other(images: list[Scene]) -> None:
    apart = PanopticCounts.join([_by_tables([scene]) for scene in images])
    assert _same(_by_tables(images), apart)


@given(scenes())
def test_transposing_a_picture_changes_nothing(scene: Scene) -> None:
    transposed = replace(scene, segment_map=scene.segment_map.T, truth_map=scene.truth_map.T)
    assert _same(_by_tables([scene]), _by_tables([transposed]))


@given(scenes(crowds_of_a_class=0))
def test_the_truth_as_prediction_is_perfect(scene: Scene) -> None:
    # A stuff class listed as two segments would be merged: every stuff class once.
    shown = np.isin(scene.truth.ids, scene.truth_map)
    once = np.zeros_like(shown)
    once[np.unique(scene.truth.classes, return_index=True)[1]] = True
    kept = shown & (THINGS[scene.truth.classes] | (once & shown))
    truth = Segments(scene.truth.ids[kept], scene.truth.classes[kept], scene.truth.crowd[kept])
    perfect = replace(
        scene,
        segment_map=scene.truth_map,
        segment_ids=truth.ids,
        answered=truth.classes,
        truth=truth,
    )
    counts = _by_tables([perfect])
    quality = panoptic_quality(counts)
    assert quality.classes == len(np.unique(truth.classes))
    assert quality[:3] == ((1.0, 1.0, 1.0) if len(truth.ids) else (None, None, None))


@given(scenes())
def test_every_plain_true_segment_is_found_or_missed_and_no_crowd_is(scene: Scene) -> None:
    counts = _by_tables([scene])
    plain = np.bincount(scene.truth.classes[~scene.truth.crowd], minlength=CLASSES)
    assert np.array_equal((counts.true_positives + counts.false_negatives)[0], plain)


@given(scenes())
def test_void_predictions_are_never_false_positives(scene: Scene) -> None:
    nothing_true = replace(
        scene, truth_map=np.full_like(scene.truth_map, VOID), truth=Segments.of([], [])
    )
    assert not _by_tables([nothing_true]).false_positives.any()
