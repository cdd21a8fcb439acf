"""Images of a panoptic set that have nothing to ask, and yet count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metrics.mean_iou import PixelCounts, mean_iou, mean_iou_draws
from metrics.panoptic import PanopticCounts
from metrics.panoptic_quality import panoptic_draws, panoptic_quality
from suites.base import Level, Selection, Suite
from suites.index import RegionIndex
from suites.registry import entry
from tests.suites.segmentation_files import (
    BED,
    SKY,
    WALL,
    Panoptic,
    opened,
    scored,
    true_answers,
    values,
    write_ade20k,
)
from tests.suites.segmentation_pixels import pixel_counts, random_image

RNG = np.random.default_rng(3)
FOG = Panoptic(np.zeros((3, 4), np.int64), np.full((3, 4), WALL), {})
"""All void, with pixels of the first class."""
COVERED = Panoptic(np.zeros((3, 4), np.int64), np.full((3, 4), BED), {1: SKY, 2: BED}, areas={1: 4})
"""All void, with pixels of another class and two listed segments."""
IMAGES = {
    "a": COVERED,
    "b": random_image(RNG),
    "c": FOG,
    "d": COVERED,
    "e": random_image(RNG),
    "f": FOG,
}


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    write_ade20k(tmp_path / "ade", IMAGES)
    return opened("ade20k-panoptic", tmp_path / "ade")


def counted(suite: Suite, names: str) -> tuple[PanopticCounts, PixelCounts]:
    answers = true_answers(suite)
    texts = dict(answers[["region_id", "text"]].to_numpy())
    return pixel_counts({name: IMAGES[name] for name in names}, texts)


def test_nothing_is_asked_of_them(suite: Suite, tmp_path: Path) -> None:
    assert [suite.record(n).image_id for n in range(len(suite))] == ["b", "e"]
    assert set(suite.references(Selection())["image_id"]) == {"b", "e"}
    folder = next((tmp_path / "ade-cache" / "indexes" / "ade20k-panoptic").iterdir())
    assert RegionIndex(folder).card.images_without_regions == 4


@pytest.mark.parametrize(
    ("limit", "names"),
    [(None, "abcdef"), (7, "abcdef"), (2, "abcdef"), (1, "ab")],
)
def test_their_pixels_and_listed_segments_count(
    suite: Suite, limit: int | None, names: str
) -> None:
    selection = Selection(limit=limit)
    scores = scored(suite, true_answers(suite, selection), selection=selection)
    matches, pixels = counted(suite, names)
    assert matches.false_negatives[names.index("a"), [SKY, BED]].tolist() == [1, 1]
    assert pixels.right[:, WALL].sum() >= 12 * names.count("c")
    assert values(scores)["pq"] == panoptic_quality(matches).pq
    assert values(scores)["miou"] == mean_iou(pixels).value
    assert scores.counts.complete


def test_intervals_draw_from_them_too(suite: Suite) -> None:
    scores = scored(suite, true_answers(suite), resamples=30, seed=5)
    matches, pixels = counted(suite, "abcdef")
    assert scores.draws is not None
    drawn = dict(zip([row.metric for row in scores.table], scores.draws.values, strict=True))
    pq = panoptic_draws(matches, None, resamples=30, seed=5)[:, 0]
    np.testing.assert_array_equal(drawn["pq"], pq.astype(np.float32))
    miou = mean_iou_draws(pixels, resamples=30, seed=5)
    np.testing.assert_array_equal(drawn["miou"], miou.astype(np.float32))


def test_the_check_says_that_they_count(suite: Suite, tmp_path: Path) -> None:
    del suite
    findings = entry("ade20k-panoptic").check(root=str(tmp_path / "ade"))
    (empty,) = (f for f in findings if "hold no region" in f.message)
    assert (empty.level, empty.message) == (
        Level.WARNING,
        "4 of 6 hold no region: a; c; d; f",
    )
    assert empty.remedy is not None
    assert "their pixels and listed segments count" in empty.remedy
