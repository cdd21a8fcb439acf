"""Ground truth whose annotation lists other areas than its map shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics.errors import MetricError
from metrics.panoptic import PanopticCounts, count_maps, count_matches, predicted_segments
from metrics.panoptic_quality import panoptic_quality
from metrics.segment_tables import PanopticTable, Segments
from tests.metrics.panoptic_scenes import listed, read_ids

FOLDER = Path(__file__).parents[1] / "goldens" / "panoptic"
GOLDENS = json.loads((FOLDER / "cases.json").read_text())
THINGS = np.array([category["isthing"] == 1 for category in GOLDENS["categories"]])

# What cocodataset/panopticapi (7bb4655, `pq_compute_single_core`, unmodified) makes of all golden
# cases once every true segment lists `_other_area`: counts and summed IoU of categories 1 … 10.
TRUE_POSITIVES = [17, 7, 6, 1, 4, 10, 5, 5, 4, 5]
FALSE_POSITIVES = [10, 7, 11, 10, 12, 5, 4, 5, 8, 12]
FALSE_NEGATIVES = [5, 12, 11, 12, 10, 11, 4, 13, 7, 11]
IOU = [
    13.12429478259014,
    4.991079313103171,
    4.25569609990173,
    0.538241601143674,
    2.8513816167971258,
    7.527592080136147,
    3.66674238618627,
    3.6355906165406577,
    2.9387744789240564,
    3.8278486404044383,
]
SUMMARIES = [
    (None, (0.289629265420603, 0.7158887515626483, 0.3940171509974214)),
    (THINGS, (0.2646911591836691, 0.6890796718511163, 0.3642122303466841)),
    (~THINGS, (0.31456737165753695, 0.7426978312741804, 0.4238220716481586)),
]


def _other_area(segment: dict[str, Any]) -> int:
    return int(segment["area"] * (4 + segment["id"] % 3) // 4)


def _counts(case: dict[str, Any]) -> PanopticCounts:
    truth = [dict(segment, area=_other_area(segment)) for segment in case["gt"]["segments_info"]]
    return count_maps(
        read_ids(FOLDER / "gt" / case["gt"]["file_name"]),
        listed(truth, first_category=1),
        read_ids(FOLDER / "pred" / case["pred"]["file_name"]),
        listed(case["pred"]["segments_info"], first_category=1),
        classes=len(THINGS),
    )


def test_the_panoptic_api_gives_the_same_numbers_with_other_areas_listed() -> None:
    counts = PanopticCounts.join([_counts(case) for case in GOLDENS["cases"]])
    assert counts.true_positives.sum(axis=0).tolist() == TRUE_POSITIVES
    assert counts.false_positives.sum(axis=0).tolist() == FALSE_POSITIVES
    assert counts.false_negatives.sum(axis=0).tolist() == FALSE_NEGATIVES
    assert counts.iou.sum(axis=0) == pytest.approx(np.array(IOU), abs=1e-12)
    for group, expected in SUMMARIES:
        assert panoptic_quality(counts, group)[:3] == pytest.approx(expected, abs=1e-12)


def test_a_covered_segment_scores_alike_on_both_paths() -> None:
    # Sixty of the wall's hundred listed pixels were covered when a thing was drawn.
    area = np.repeat([2, 1], [60, 40]).reshape(10, 10)
    truth = Segments.of([1, 2], [1, 0], areas=[100, 60])
    table = PanopticTable.of_maps(area, truth.ids, area, truth)
    prediction = predicted_segments(table, truth.classes, np.array([True, False]))
    by_table = count_matches(prediction.table, prediction.classes, classes=2)
    by_pixels = count_maps(area, truth, area, Segments.of([1, 2], [1, 0]), classes=2)
    assert panoptic_quality(by_pixels) == panoptic_quality(by_table) == (0.5, 0.5, 0.5, 2)


def test_areas_of_a_prediction_mean_nothing() -> None:
    area, truth = np.array([[1, 1]]), Segments.of([1], [0])
    predicted = Segments.of([1], [0], areas=[9])
    assert count_maps(area, truth, area, predicted, classes=1).iou.tolist() == [[1.0]]


def test_areas_and_segments_must_be_as_many() -> None:
    with pytest.raises(MetricError, match="1 areas for 2 segments"):
        Segments.of([1, 2], [0, 0], areas=[5])
