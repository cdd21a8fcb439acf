"""Our counts against the dataset's own evaluators, run on generated maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from metrics import mean_iou
from metrics.panoptic import PanopticCounts, count_maps
from metrics.panoptic_quality import class_quality, panoptic_quality
from metrics.segment_tables import NO_CLASS, Segments
from tests.metrics.panoptic_scenes import write_ids

panoptic_evaluator: Any = pytest.importorskip(
    "cityscapesscripts.evaluation.evalPanopticSemanticLabeling"
)
pixel_evaluator: Any = pytest.importorskip(
    "cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling"
)
LABELS: Any = pytest.importorskip("cityscapesscripts.helpers.labels").labels
EVALUATED = sorted((label for label in LABELS if 0 <= label.trainId < 255), key=lambda x: x.trainId)
CLASSES = len(EVALUATED)
THINGS = np.array([label.hasInstances for label in EVALUATED])
IMAGES = 6


def _rectangles(
    rng: np.random.Generator, labels: NDArray[np.int64], number: int
) -> NDArray[np.int64]:
    area = np.full((64, 96), labels[0])
    for label in rng.choice(labels, number):
        top, left = rng.integers(0, 56), rng.integers(0, 84)
        area[top : top + rng.integers(4, 40), left : left + rng.integers(4, 50)] = label
    return area


def _shown(area: NDArray[np.int64], rng: np.random.Generator) -> Segments:
    ids = rng.permutation(np.setdiff1d(area, [0]))
    return Segments(ids, ids % CLASSES, rng.random(len(ids)) < 0.2)


def _listed(segments: Segments, area: NDArray[np.int64], rng: np.random.Generator) -> Segments:
    """With areas that are not those of the map."""
    shown = [np.count_nonzero(area == identifier) for identifier in segments.ids]
    wrong = (np.array(shown) * rng.uniform(0.9, 1.2, len(shown))).astype(np.int64)
    return replace(segments, areas=wrong)


def _annotation(number: int, segments: Segments, area: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "image_id": str(number),
        "file_name": f"{number}.png",
        "segments_info": [
            {
                "id": int(identifier),
                "category_id": int(klass),
                "iscrowd": int(crowd),
                "area": int(np.count_nonzero(area == identifier) if listed is None else listed),
            }
            for identifier, klass, crowd, listed in zip(
                segments.ids,
                segments.classes,
                segments.crowd,
                [None] * len(segments.ids) if segments.areas is None else segments.areas,
                strict=True,
            )
        ],
    }


@pytest.mark.parametrize("with_areas", [False, True])
def test_pq_equals_the_cityscapes_evaluator(tmp_path: Path, with_areas: bool) -> None:
    rng = np.random.default_rng(11)
    (tmp_path / "truth").mkdir()
    (tmp_path / "predicted").mkdir()
    pairs, counts = [], []
    for number in range(IMAGES):
        labels = np.concatenate([[0], rng.integers(1, 256**3, size=30)])
        truth_map = _rectangles(rng, labels, 25)
        predicted_map = np.roll(truth_map, rng.integers(-3, 4, size=2), axis=(0, 1))
        other = _rectangles(rng, labels, 12)
        predicted_map[:, 60:] = other[:, 60:]
        truth, predicted = _shown(truth_map, rng), _shown(predicted_map, rng)
        if with_areas:
            truth = _listed(truth, truth_map, np.random.default_rng(number))
        write_ids(tmp_path / "truth" / f"{number}.png", truth_map)
        write_ids(tmp_path / "predicted" / f"{number}.png", predicted_map)
        pairs.append(
            (_annotation(number, truth, truth_map), _annotation(number, predicted, predicted_map))
        )
        counts.append(count_maps(truth_map, truth, predicted_map, predicted, classes=CLASSES))
    categories = {k: {"isthing": int(thing)} for k, thing in enumerate(THINGS)}
    statistics = panoptic_evaluator.pq_compute_single_core(
        0, pairs, str(tmp_path / "truth"), str(tmp_path / "predicted"), categories
    )
    expected = panoptic_evaluator.average_pq(statistics, categories)

    joined = PanopticCounts.join(counts)

    assert joined.true_positives.sum() > 20
    assert joined.false_positives.sum() > 20
    for name, group in (("All", None), ("Things", THINGS), ("Stuff", ~THINGS)):
        wanted = expected[name]
        quality = panoptic_quality(joined, group)
        assert quality.classes == wanted["n"]
        assert quality[:3] == pytest.approx((wanted["pq"], wanted["sq"], wanted["rq"]), abs=1e-12)
    per_class = np.nan_to_num(class_quality(joined).pq)
    assert per_class == pytest.approx(
        np.array([expected["per_class"][k]["pq"] for k in range(CLASSES)]), abs=1e-12
    )


def test_iou_equals_the_cityscapes_evaluator(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    label_of = np.array([label.id for label in EVALUATED])
    truths: list[str] = []
    predictions: list[str] = []
    counts = []
    for number in range(IMAGES):
        truth_map = _rectangles(rng, np.arange(CLASSES + 1), 40)  # the last: not evaluated
        predicted_map = np.roll(truth_map, rng.integers(-4, 5, size=2), axis=(0, 1))
        predicted_map[:, 70:] = _rectangles(rng, np.arange(CLASSES + 1), 40)[:, 70:]
        for area, files, kind in (
            (truth_map, truths, "truth"),
            (predicted_map, predictions, "predicted"),
        ):
            files.append(str(tmp_path / f"{number}_{kind}.png"))
            Image.fromarray(np.append(label_of, 0)[area].astype(np.uint8)).save(files[-1])
        counts.append(
            mean_iou.count_maps(
                truth_map,
                predicted_map,
                np.arange(CLASSES + 1),
                np.append(np.arange(CLASSES), NO_CLASS),
                classes=CLASSES,
                ignore=CLASSES,
            )
        )
    settings = SimpleNamespace(
        **{
            **vars(pixel_evaluator.args),
            "evalInstLevelScore": False,
            "JSONOutput": False,
            "quiet": True,
        }
    )
    expected = pixel_evaluator.evaluateImgLists(predictions, truths, settings)

    iou = mean_iou.class_iou(mean_iou.PixelCounts.join(counts))

    wanted = np.array([expected["classScores"][label.name] for label in EVALUATED])
    assert not np.isnan(wanted).any()
    assert iou == pytest.approx(wanted, abs=1e-15)
    assert mean_iou.mean_iou(mean_iou.PixelCounts.join(counts)).value == pytest.approx(
        expected["averageScoreClasses"]
    )
