"""Mask classification accuracy: how often a mask gets its class, averaged over classes.

Every region counts once, however large, and every class that occurs counts alike (the protocol
of MaskCLIP++). Its interval is :func:`metrics.bootstrap.bootstrap_draws` of the regions'
rights and wrongs, grouped by true class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from metrics.segment_tables import check_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MaskAccuracy(NamedTuple):
    """Regions per class and the accuracies they make.

    ``right`` and ``total`` are int64 ``[classes]``; ``macro`` is the mean of right / total over
    the classes that occur, ``micro`` the share of all regions that are right; both in [0, 1],
    ``None`` without regions.
    """

    right: NDArray[np.int64]
    total: NDArray[np.int64]
    macro: float | None
    micro: float | None

    @property
    def per_class(self) -> NDArray[np.float64]:
        """Accuracy of every class ``[classes]``; NaN where it does not occur."""
        with np.errstate(invalid="ignore"):
            return self.right / self.total


def mask_accuracy(
    truth: NDArray[np.intp], predicted: NDArray[np.intp], *, classes: int
) -> MaskAccuracy:
    """Score classified regions.

    Args:
        truth: ``[regions]`` true class indices.
        predicted: ``[regions]`` predicted class indices, ``NO_CLASS`` where there is none, which
            is wrong.
        classes: number of classes.

    Raises:
        MetricError: not one prediction per region, or a class that is none.

    >>> mask_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 2]), classes=3).macro
    0.5
    """
    check_classes(predicted, len(truth), classes)
    check_classes(truth, len(truth), classes, lowest=0)
    total = np.bincount(truth, minlength=classes).astype(np.int64)
    right = np.bincount(truth[truth == predicted], minlength=classes).astype(np.int64)
    occurring = total > 0
    if not occurring.any():
        return MaskAccuracy(right, total, None, None)
    macro = float((right[occurring] / total[occurring]).mean())
    return MaskAccuracy(right, total, macro, float(right.sum() / total.sum()))
