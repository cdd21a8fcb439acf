"""Panoptic matching the way the panoptic API goes about it, as the other side of a benchmark.

One ``np.unique`` pass for the areas of the predicted segments, one over the combined ids for the
intersections, then dictionaries and loops over segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.segment_tables import VOID, Segments

_OFFSET = 256**3


def count_like_panoptic_api(
    truth_map: NDArray[np.uint32],
    truth: Segments,
    predicted_map: NDArray[np.uint32],
    predicted: Segments,
    true_areas: Mapping[int, int],
    classes: int,
) -> NDArray[np.float64]:
    """TP, FP, FN and summed IoU per class, float64 ``[4, classes]``.

    ``true_areas`` holds the pixels of the ground-truth segments, which the API reads from JSON.
    """
    counts = np.zeros((4, classes))
    areas = _counted(predicted_map)
    shared = {
        (key // _OFFSET, key % _OFFSET): pixels
        for key, pixels in _counted(
            truth_map.astype(np.uint64) * np.uint64(_OFFSET) + predicted_map.astype(np.uint64)
        ).items()
    }
    true_class = dict(zip(truth.ids.tolist(), truth.classes.tolist(), strict=True))
    crowd = dict(zip(truth.ids.tolist(), truth.crowd.tolist(), strict=True))
    predicted_class = dict(zip(predicted.ids.tolist(), predicted.classes.tolist(), strict=True))
    found, matched = set(), set()
    for (true, label), pixels in shared.items():
        if true not in true_class or label not in predicted_class or crowd[true]:
            continue
        if true_class[true] != predicted_class[label]:
            continue
        union = areas[label] + true_areas[true] - pixels - shared.get((VOID, label), 0)
        if pixels / union > 0.5:
            counts[0, true_class[true]] += 1
            counts[3, true_class[true]] += pixels / union
            found.add(true)
            matched.add(label)
    last_crowd = {true_class[true]: true for true in true_class if crowd[true]}
    for true in true_class.keys() - found:
        if not crowd[true]:
            counts[2, true_class[true]] += 1
    for label in predicted_class.keys() - matched:
        excused = shared.get((VOID, label), 0)
        if predicted_class[label] in last_crowd:
            excused += shared.get((last_crowd[predicted_class[label]], label), 0)
        if excused / areas[label] <= 0.5:
            counts[1, predicted_class[label]] += 1
    return counts


def _counted(labels: NDArray[Any]) -> dict[int, int]:
    values, pixels = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), pixels.tolist(), strict=True))
