"""Panoptic quality by the rule of the COCO panoptic API.

Kirillov et al., "Panoptic Segmentation", CVPR 2019: PQ = Σ IoU / (TP + FP/2 + FN/2) = SQ · RQ,
computed per class over the whole set and averaged over classes.

Two ways lead to the counts. From pictures: :func:`count_maps`, image by image. From tables that
were built once: :func:`predicted_segments` turns the classes answered for a set's segments into
predicted segments, and :func:`count_matches` counts the whole set at once. Both give the same
numbers to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metrics.contingency import sums
from metrics.errors import MetricError
from metrics.segment_tables import NO_CLASS, NOWHERE, VOID, PanopticTable, Segments, check_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MATCH_IOU = 0.5
_FORGIVEN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PanopticCounts:
    """Matches per image and class, all ``[images, classes]``; the set's are their sums."""

    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    false_negatives: NDArray[np.int64]
    iou: NDArray[np.float64]  # summed over the true positives

    @classmethod
    def join(cls, counts: Sequence[PanopticCounts]) -> PanopticCounts:
        """The counts of all images, in order."""
        return cls(
            np.concatenate([part.true_positives for part in counts]),
            np.concatenate([part.false_positives for part in counts]),
            np.concatenate([part.false_negatives for part in counts]),
            np.concatenate([part.iou for part in counts]),
        )


def count_maps(
    truth_map: NDArray[Any],
    truth: Segments,
    predicted_map: NDArray[Any],
    predicted: Segments,
    *,
    classes: int,
) -> PanopticCounts:
    """Match one image's predicted panoptic map with its ground truth.

    Args:
        truth_map: integer ``[height, width]`` segment ids, 0 = void.
        truth: what the ground truth's annotation lists; as in the panoptic API, areas it lists
            count, not those of the map.
        predicted_map: integer ``[height, width]`` segment ids, 0 = void.
        predicted: what the prediction lists; its crowd flags and areas mean nothing.
        classes: number of classes.

    Raises:
        MetricError: maps of different sizes, a predicted segment that is listed but not in the
            map or in the map but not listed, or a class that is none.
    """
    table = PanopticTable.of_maps(predicted_map, predicted.ids, truth_map, truth)
    if not table.segment_area.all():
        absent = predicted.ids[table.segment_area == 0]
        raise MetricError(f"predicted segment {absent[0]} is listed but has no pixel in the map")
    if table.segment_area.sum() != np.count_nonzero(predicted_map != VOID):
        unlisted = np.setdiff1d(predicted_map, [VOID, *predicted.ids])
        raise MetricError(f"predicted segment {unlisted[0]} is in the map but not listed")
    return count_matches(table, predicted.classes, classes=classes)


class PredictedSegments(NamedTuple):
    """The segments of a prediction: their table and their classes ``[segments]``."""

    table: PanopticTable
    classes: NDArray[np.intp]


def predicted_segments(
    table: PanopticTable, classes: NDArray[np.intp], things: NDArray[np.bool_]
) -> PredictedSegments:
    """Make a prediction of segments by giving each a class.

    Segments of one image with the same STUFF class become one; segments with a THING class stay
    apart. Segments of :data:`NO_CLASS` and segments without a pixel are left out.

    Args:
        table: the segments against the ground truth.
        classes: ``[segments]`` class indices or :data:`NO_CLASS`.
        things: ``[classes]``, which classes are things.

    Raises:
        MetricError: not one class per segment, or a class that is none.
    """
    check_classes(classes, len(table.segment_area), len(things))
    kept = np.flatnonzero((classes != NO_CLASS) & (table.segment_area > 0))
    image, named = table.segment_image[kept], classes[kept]
    # One key per stuff class of an image, and after all those one key per thing segment.
    stuff = image * len(things) + named
    keys = np.where(things[named], table.images * len(things) + kept, stuff)
    _, first, merged = np.unique(keys, return_index=True, return_inverse=True)

    segment = np.full(len(classes), NOWHERE, np.intp)
    segment[kept] = merged
    overlap_segment = segment[table.overlap_segment]
    rows = overlap_segment != NOWHERE
    # + 1 gives void, NOWHERE, a key of its own.
    width = len(table.truth_area) + 1
    pairs, pair = np.unique(
        overlap_segment[rows] * width + table.overlap_truth[rows] + 1, return_inverse=True
    )
    merged_table = replace(
        table,
        segment_image=image[first],
        segment_area=sums(merged, table.segment_area[kept], len(first)),
        overlap_segment=pairs // width,
        overlap_truth=pairs % width - 1,
        overlap_pixels=sums(pair, table.overlap_pixels[rows], len(pairs)),
    )
    return PredictedSegments(merged_table, named[first])


def count_matches(
    table: PanopticTable, segment_classes: NDArray[np.intp], *, classes: int
) -> PanopticCounts:
    """Match predicted segments with ground-truth segments, all images at once.

    A pair matches iff the classes are equal and IoU > 0.5, the union without the segment's
    pixels in ground-truth void. An unmatched segment is no false positive if more than half of
    it lies in void or in the crowd segment of its class; of several crowd segments of a class in
    one image only the LAST listed counts, as in the panoptic API. Crowd is never a false
    negative.

    Args:
        table: predicted segments, each with a pixel at least, against the ground truth.
        segment_classes: ``[segments]`` predicted class indices.
        classes: number of classes.

    Raises:
        MetricError: not one class per segment, or a class that is none.
    """
    check_classes(segment_classes, len(table.segment_area), classes, lowest=0)
    check_classes(table.truth_class, len(table.truth_area), classes, lowest=0)
    in_void = table.overlap_truth == NOWHERE
    void = sums(table.overlap_segment[in_void], table.overlap_pixels[in_void], len(segment_classes))
    segment, truth = table.overlap_segment[~in_void], table.overlap_truth[~in_void]
    pixels = table.overlap_pixels[~in_void]
    same = segment_classes[segment] == table.truth_class[truth]
    crowd = table.truth_crowd[truth]

    pair = same & ~crowd
    left, right = segment[pair], truth[pair]
    union = table.segment_area[left] + table.truth_area[right] - pixels[pair] - void[left]
    iou = pixels[pair] / union
    hit = iou > _MATCH_IOU
    matched = _marked(left[hit], len(segment_classes))
    found = _marked(right[hit], len(table.truth_area))

    forgiving = same & crowd & _last_crowd(table, classes)[truth]
    forgiven = void + sums(segment[forgiving], pixels[forgiving], len(segment_classes))
    excused = forgiven / table.segment_area > _FORGIVEN_SHARE

    cells = _Cells(table.images, classes)
    segment_cell = cells.of(table.segment_image, segment_classes)
    truth_cell = cells.of(table.truth_image, table.truth_class)
    return PanopticCounts(
        true_positives=cells.tally(segment_cell[left[hit]]),
        false_positives=cells.tally(segment_cell[~matched & ~excused]),
        false_negatives=cells.tally(truth_cell[~found & ~table.truth_crowd]),
        iou=cells.total(segment_cell[left[hit]], iou[hit]),
    )


class _Cells(NamedTuple):
    """A grid of images × classes to count in."""

    images: int
    classes: int

    def of(self, image: NDArray[np.intp], klass: NDArray[np.intp]) -> NDArray[np.intp]:
        return image * self.classes + klass

    def tally(self, cells: NDArray[np.intp]) -> NDArray[np.int64]:
        counts = np.bincount(cells, minlength=self.images * self.classes)
        return counts.astype(np.int64).reshape(self.images, self.classes)

    def total(self, cells: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums that do not depend on the order of the rows, to the last bit."""
        order = np.lexsort((values, cells))
        totals = np.bincount(
            cells[order], weights=values[order], minlength=self.images * self.classes
        )
        return totals.astype(np.float64).reshape(self.images, self.classes)


def _last_crowd(table: PanopticTable, classes: int) -> NDArray[np.bool_]:
    """Which ground-truth segments are the last crowd of their class in their image."""
    crowd = np.flatnonzero(table.truth_crowd)[::-1]
    _, last = np.unique(
        table.truth_image[crowd] * classes + table.truth_class[crowd], return_index=True
    )
    return _marked(crowd[last], len(table.truth_crowd))


def _marked(indices: NDArray[np.intp], size: int) -> NDArray[np.bool_]:
    flags = np.zeros(size, bool)
    flags[indices] = True
    return flags
