"""Resampled scores that are no mean of rows, such as ratios of sums over images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metrics.bootstrap import resample_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ImageSums:
    """Tables ``[images, classes]`` to be summed over drawn images, again and again.

    An image holds few of the classes, so that only cells with something in them are kept. Use
    :meth:`of`.
    """

    classes: int
    _image: NDArray[np.intp]  # [cells], cells sorted by class
    _occurring: NDArray[np.intp]  # classes that have a cell
    _starts: NDArray[np.intp]  # [occurring], each class's first cell
    _values: NDArray[np.float64]  # [tables, cells]

    @classmethod
    def of(cls, *tables: NDArray[np.int64] | NDArray[np.float64]) -> ImageSums:
        """From tables of one shape."""
        filled = np.any([table != 0 for table in tables], axis=0)
        klass, image = np.nonzero(filled.T)
        occurring, starts = np.unique(klass, return_index=True)
        values = np.stack([table[image, klass].astype(np.float64) for table in tables])
        return cls(filled.shape[1], image, occurring, starts, values)

    def totals(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Sums ``[tables, classes]``, each image counted ``weights[image]`` times, or once."""
        sums = np.zeros((len(self._values), self.classes))
        if len(self._starts):
            drawn = self._values if weights is None else self._values * weights[self._image]
            sums[:, self._occurring] = np.add.reduceat(drawn, self._starts, axis=1)
        return sums


def image_draws(
    scores: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    images: int,
    *,
    resamples: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Scores of resampled sets, whole images drawn with replacement.

    Args:
        scores: the scores ``[k]`` of the set in which image i occurs ``weights[i]`` times, for
            weights float64 ``[images]``; NaN where a resample has no such score.
        images: number of images.
        resamples: number of resamples.
        seed: equal seeds and numbers of images draw equal images, here and in
            :func:`metrics.bootstrap.bootstrap_draws`.

    Returns:
        ``[resamples, k]``; no rows for fewer than two images.
    """
    if images < 2:
        return np.empty((0, len(scores(np.ones(images)))))
    return np.stack([scores(weights) for weights in resample_weights(images, resamples, seed)])
