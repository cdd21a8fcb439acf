"""Open-vocabulary segmentation end to end: answers of segments in, Osprey's numbers out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from metrics.class_matching import ClassMatcher
from metrics.encoder import SentenceEncoder
from metrics.mean_iou import class_iou, count_pixels, mean_iou
from metrics.panoptic import count_maps, count_matches, predicted_segments
from metrics.panoptic_quality import panoptic_quality
from metrics.segment_tables import PanopticTable, Segments, SemanticTable
from tests.metrics.panoptic_scenes import listed, read_ids

FOLDER = Path(__file__).parents[1] / "goldens" / "osprey_eval"
CLASSES = json.loads((FOLDER / "class_names.json").read_text())["ade20k_150"]
TEMPLATE = json.loads((FOLDER / "class_names.json").read_text())["template"]
THINGS = np.array([klass["isthing"] == 1 for klass in CLASSES])
TRUTH = json.loads((FOLDER / "openvocab" / "gt.json").read_text())["annotations"]
EXPECTED = json.loads((FOLDER / "openvocab" / "expected.json").read_text())
ARRAYS = load_file(FOLDER / "openvocab" / "expected.safetensors")


def _answers(annotation: dict[str, Any]) -> list[str]:
    """The answers as the script encodes them, in ascending segment id."""
    answers = json.loads((FOLDER / "openvocab" / "predictions.json").read_text())
    by_id = {int(label): text for label, text in answers[annotation["image_id"]].items()}
    return [by_id[label].strip().removesuffix("</s>").strip() for label in sorted(by_id)]


@pytest.fixture(scope="module")
def matcher() -> ClassMatcher:
    names = [klass["synonyms"] for klass in CLASSES]
    return ClassMatcher.load(names, SentenceEncoder.load(), template=TEMPLATE)


@pytest.fixture(scope="module")
def answered(matcher: ClassMatcher) -> list[np.ndarray]:
    return [matcher.match(_answers(annotation)).classes for annotation in TRUTH]


def _panoptic(annotation: dict[str, Any]) -> np.ndarray:
    ids: np.ndarray = read_ids(FOLDER / "openvocab" / annotation["file_name"])
    return ids


def test_every_segment_gets_the_scripts_class(
    matcher: ClassMatcher, answered: list[np.ndarray]
) -> None:
    for annotation, classes in zip(TRUTH, answered, strict=True):
        wanted = EXPECTED["images"][annotation["image_id"]]["segments_in_official_order"]
        assert _answers(annotation) == [segment["text_encoded"] for segment in wanted]
        assert classes.tolist() == [segment["pred_class"] for segment in wanted]
        cosines = matcher.similarities(_answers(annotation))
        assert np.abs(cosines - ARRAYS[f"{annotation['image_id']}.class_cosine"]).max() < 1e-5


def test_pq_and_its_counts_are_the_scripts(answered: list[np.ndarray]) -> None:
    tables = []
    for annotation in TRUTH:
        area = _panoptic(annotation)
        asked = np.setdiff1d(area, [0])
        truth = listed(annotation["segments_info"], first_category=0)
        tables.append(PanopticTable.of_maps(area, asked, area, truth))
    prediction = predicted_segments(PanopticTable.join(tables), np.concatenate(answered), THINGS)
    counts = count_matches(prediction.table, prediction.classes, classes=len(CLASSES))

    wanted = EXPECTED["panoptic_seg"]
    for suffix, group, number in (
        ("", None, "All"),
        ("_th", THINGS, "Things"),
        ("_st", ~THINGS, "Stuff"),
    ):
        quality = panoptic_quality(counts, group)
        assert quality.classes == EXPECTED["num_categories"][number]
        assert 100 * np.array(quality[:3]) == pytest.approx(
            np.array([wanted[name + suffix] for name in ("PQ", "SQ", "RQ")]), abs=1e-10
        )
    for klass, row in EXPECTED["per_category"].items():
        assert counts.true_positives[:, int(klass)].sum() == row["tp"]
        assert counts.false_positives[:, int(klass)].sum() == row["fp"]
        assert counts.false_negatives[:, int(klass)].sum() == row["fn"]
        assert counts.iou[:, int(klass)].sum() == pytest.approx(row["iou_sum"], abs=1e-12)


def test_the_scripts_own_panoptic_maps_count_the_same(answered: list[np.ndarray]) -> None:
    for annotation, classes in zip(TRUTH, answered, strict=True):
        area, image = _panoptic(annotation), annotation["image_id"]
        truth = listed(annotation["segments_info"], first_category=0)
        painted = listed(EXPECTED["images"][image]["panoptic_segments_info"], first_category=0)
        table = PanopticTable.of_maps(area, np.setdiff1d(area, [0]), area, truth)
        prediction = predicted_segments(table, classes, THINGS)
        ours = count_matches(prediction.table, prediction.classes, classes=len(CLASSES))
        theirs = count_maps(
            area,
            truth,
            ARRAYS[f"{image}.panoptic_seg"],
            Segments.of(painted.ids.tolist(), painted.classes.tolist()),
            classes=len(CLASSES),
        )
        assert np.array_equal(ours.iou, theirs.iou)
        assert np.array_equal(ours.false_positives, theirs.false_positives)
        assert np.array_equal(ours.false_negatives, theirs.false_negatives)


def test_mean_iou_is_the_scripts(answered: list[np.ndarray]) -> None:
    tables = []
    for annotation in TRUTH:
        area = _panoptic(annotation)
        class_map = np.asarray(Image.open(FOLDER / "openvocab" / annotation["semantic_file_name"]))
        tables.append(SemanticTable.of_maps(area, np.setdiff1d(area, [0]), class_map, ignore=255))
    counts = count_pixels(
        SemanticTable.join(tables), np.concatenate(answered), classes=len(CLASSES)
    )

    value = mean_iou(counts).value
    assert value is not None
    assert 100 * value == pytest.approx(EXPECTED["sem_seg"]["mIoU"], abs=1e-10)
    iou = class_iou(counts)
    wanted = {int(klass): value for klass, value in EXPECTED["iou_per_class"].items()}
    assert {int(k): 100 * iou[k] for k in np.flatnonzero(~np.isnan(iou))} == pytest.approx(wanted)
