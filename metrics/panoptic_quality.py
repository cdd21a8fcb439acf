"""PQ, SQ and RQ from the matches of a set: of every class, and averaged over groups of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from metrics.image_bootstrap import ImageSums, image_draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics.panoptic import PanopticCounts


class ClassQuality(NamedTuple):
    """Per class, all float64 ``[classes]`` in [0, 1]; NaN where the class does not count.

    A class counts if it has a true positive, a false positive or a false negative.
    """

    pq: NDArray[np.float64]
    sq: NDArray[np.float64]
    rq: NDArray[np.float64]


class Quality(NamedTuple):
    """Means over the classes that count, in [0, 1]; ``None`` where no class of the group does.

    ``classes`` is how many count.
    """

    pq: float | None
    sq: float | None
    rq: float | None
    classes: int


def class_quality(counts: PanopticCounts) -> ClassQuality:
    """PQ, SQ and RQ of every class over all images."""
    return _class_quality(_sums(counts).totals())


def panoptic_quality(counts: PanopticCounts, group: NDArray[np.bool_] | None = None) -> Quality:
    """Mean PQ, SQ and RQ over the classes of a group.

    SQ is 0 for a class without a match. Each of the three is averaged by itself, so that the
    means' product is not the mean PQ.

    Args:
        counts: the matches of the set.
        group: ``[classes]``, such as the things; all classes by default.
    """
    pq, sq, rq = class_quality(counts)
    counting = ~np.isnan(pq) if group is None else ~np.isnan(pq) & group
    number = int(np.count_nonzero(counting))
    if not number:
        return Quality(None, None, None, 0)
    return Quality(
        float(pq[counting].mean()), float(sq[counting].mean()), float(rq[counting].mean()), number
    )


def panoptic_draws(
    counts: PanopticCounts,
    group: NDArray[np.bool_] | None = None,
    *,
    resamples: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """PQ, SQ and RQ of :func:`panoptic_quality` with images drawn anew.

    Args:
        counts: the matches of the set.
        group: ``[classes]``; all classes by default.
        resamples: number of resamples.
        seed: equal seeds draw equal images.

    Returns:
        ``[resamples, 3]``, as of :func:`metrics.image_bootstrap.image_draws`.
    """
    rows = slice(None) if group is None else group
    sums = _sums(counts)

    def means(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.stack([value[rows] for value in _class_quality(sums.totals(weights))])
        counting = ~np.isnan(values[0])
        return values[:, counting].mean(axis=1) if counting.any() else np.full(3, np.nan)

    return image_draws(means, len(counts.iou), resamples=resamples, seed=seed)


def _sums(counts: PanopticCounts) -> ImageSums:
    return ImageSums.of(
        counts.true_positives, counts.false_positives, counts.false_negatives, counts.iou
    )


def _class_quality(totals: NDArray[np.float64]) -> ClassQuality:
    """Quality from TP, FP, FN and summed IoU, ``[4, classes]``."""
    matches, spurious, missed, iou = totals
    denominator = matches + spurious / 2 + missed / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        sq = np.where(matches > 0, iou / matches, np.where(denominator > 0, 0.0, np.nan))
        return ClassQuality(iou / denominator, sq, matches / denominator)
