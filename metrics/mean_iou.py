"""Mean intersection over union of classes, from one count over the whole set.

The pixel path builds a :class:`metrics.segment_tables.SemanticTable` from an image's maps; the
contingency path joins tables built earlier. Both end in :func:`count_pixels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from metrics.contingency import sums
from metrics.image_bootstrap import ImageSums, image_draws
from metrics.segment_tables import NO_CLASS, SemanticTable, check_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray


UNCOVERED_CLASS = 0
"""Class of a pixel in no segment, as Osprey's evaluation script has it."""


@dataclass(frozen=True, slots=True)
class PixelCounts:
    """Pixels per image and class, all int64 ``[images, classes]``, the ignored ones left out.

    Summed over images they are the diagonal and the margins of the set's confusion matrix.
    """

    right: NDArray[np.int64]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @classmethod
    def join(cls, counts: Sequence[PixelCounts]) -> PixelCounts:
        """The counts of all images, in order."""
        return cls(
            np.concatenate([part.right for part in counts]),
            np.concatenate([part.truth for part in counts]),
            np.concatenate([part.predicted for part in counts]),
        )


def count_maps(
    truth_map: NDArray[Any],
    segment_map: NDArray[Any],
    segment_ids: NDArray[np.int64],
    segment_classes: NDArray[np.intp],
    *,
    classes: int,
    ignore: int | None,
) -> PixelCounts:
    """Count one image's pixels by true and predicted class.

    Args:
        truth_map: integer ``[height, width]``, ground-truth class indices.
        segment_map: integer ``[height, width]``, labels of the predicted segments. A map of
            predicted classes is one too, with ``segment_ids`` and ``segment_classes`` 0, 1, ….
        segment_ids: distinct labels in ``segment_map``; pixels of any other label lie in no
            segment.
        segment_classes: ``[segments]`` predicted class indices or ``NO_CLASS``.
        classes: number of classes.
        ignore: label in ``truth_map`` of pixels that do not count.

    Raises:
        MetricError: maps of different sizes, an id twice, or a class that is none.
    """
    table = SemanticTable.of_maps(segment_map, segment_ids, truth_map, ignore=ignore)
    return count_pixels(table, segment_classes, classes=classes)


def count_pixels(
    table: SemanticTable, segment_classes: NDArray[np.intp], *, classes: int
) -> PixelCounts:
    """Count a set's pixels by true and predicted class.

    A pixel in no segment is predicted :data:`UNCOVERED_CLASS`; a pixel in a segment without a
    class (``NO_CLASS``) is predicted nothing and missed by its true class.

    Args:
        table: segments against semantic ground truth.
        segment_classes: ``[segments]`` predicted class indices or ``NO_CLASS``.
        classes: number of classes.

    Raises:
        MetricError: not one class per segment, or a class that is none.
    """
    check_classes(segment_classes, table.segments, classes)
    check_classes(table.truth_class, len(table.pixels), classes, lowest=0)
    # NOWHERE, the last index, finds the class appended at the end.
    predicted = np.append(segment_classes, UNCOVERED_CLASS)[table.segment]
    named = predicted != NO_CLASS
    right = predicted == table.truth_class

    def count(klass: NDArray[np.intp], rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        cells = table.image[rows] * classes + klass[rows]
        return sums(cells, table.pixels[rows], table.images * classes).reshape(-1, classes)

    return PixelCounts(
        right=count(table.truth_class, right),
        truth=count(table.truth_class, np.ones_like(right)),
        predicted=count(predicted, named),
    )


class MeanIoU(NamedTuple):
    """Mean IoU in [0, 1] over the ``classes`` that occur in the ground truth.

    ``None`` if none does.
    """

    value: float | None
    classes: int


def class_iou(counts: PixelCounts) -> NDArray[np.float64]:
    """TP / (TP + FP + FN) of every class over all images.

    ``[classes]``; NaN for a class that does not occur in the ground truth, whatever is predicted.
    """
    return _class_iou(_sums(counts).totals())


def mean_iou(counts: PixelCounts) -> MeanIoU:
    """Mean of :func:`class_iou` over the classes that occur in the ground truth."""
    iou = class_iou(counts)
    occurring = ~np.isnan(iou)
    number = int(np.count_nonzero(occurring))
    return MeanIoU(float(iou[occurring].mean()) if number else None, number)


def mean_iou_draws(counts: PixelCounts, *, resamples: int, seed: int = 0) -> NDArray[np.float64]:
    """:func:`mean_iou` with images drawn anew.

    Args:
        counts: the pixels of the set.
        resamples: number of resamples.
        seed: equal seeds draw equal images.

    Returns:
        ``[resamples]``; empty for fewer than two images.
    """
    sums = _sums(counts)

    def mean(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        iou = _class_iou(sums.totals(weights))
        occurring = ~np.isnan(iou)
        return np.array([iou[occurring].mean() if occurring.any() else np.nan])

    return image_draws(mean, len(counts.right), resamples=resamples, seed=seed)[:, 0]


def _sums(counts: PixelCounts) -> ImageSums:
    return ImageSums.of(counts.right, counts.truth, counts.predicted)


def _class_iou(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU from right, true and predicted pixels, ``[3, classes]``."""
    right, truth, predicted = totals
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(truth > 0, right / (truth + predicted - right), np.nan)
