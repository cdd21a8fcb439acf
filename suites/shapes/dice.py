"""Random integers whose values never change."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class Dice:
    """A PCG64 stream read without NumPy's distributions, whose values may change by release."""

    def __init__(self, *entropy: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy))

    def below(self, bound: int) -> int:
        """An integer in ``[0, bound)``."""
        return int(self._bits.random_raw()) % bound

    def between(self, low: int, high: int) -> int:
        """An integer in ``[low, high]``."""
        return low + self.below(high - low + 1)

    def order(self, count: int) -> list[int]:
        """A permutation of ``range(count)``."""
        items = list(range(count))
        for last in range(count - 1, 0, -1):
            pick = self.below(last + 1)
            items[last], items[pick] = items[pick], items[last]
        return items

    def grain(self, shape: tuple[int, ...], amplitude: int) -> NDArray[np.int16]:
        """An array of integers in ``[-amplitude, amplitude]``."""
        raw = self._bits.random_raw(math.prod(shape))
        values = (raw % np.uint64(2 * amplitude + 1)).astype(np.int16) - np.int16(amplitude)
        return values.reshape(shape)
