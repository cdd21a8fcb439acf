"""From the numbers in a label map to class indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suites.base import DataInvalid
from suites.segmentation.label_maps import read_labels

IGNORE = 65_535
"""Class index of pixels that belong to no class."""

_UNKNOWN = 65_534
_NAMED = 5


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What the numbers in a set's label maps mean.

    ``labels[c]`` is the number of class c; ``ignored`` are those that stand for no class. Any
    other number is an error. ``bits`` is the maps' depth.
    """

    bits: int
    labels: tuple[int, ...]
    ignored: tuple[int, ...]

    @classmethod
    def of(cls, bits: int, labels: Iterable[int], ignored: Iterable[int]) -> LabelRule:
        """From any numbers."""
        return cls(bits, tuple(labels), tuple(ignored))

    def read(self, path: Path) -> NDArray[np.uint16]:
        """The classes in a label map ``[height, width]``, :data:`IGNORE` where there is none.

        Raises:
            DataMissing: there is no such file.
            DataInvalid: it is no label map of this depth, or holds a number that means nothing.
        """
        labels = read_labels(path, self.bits)
        classes: NDArray[np.uint16] = _lookup(self)[labels]
        if (classes == _UNKNOWN).any():
            unknown = np.unique(labels[classes == _UNKNOWN])
            shown = ", ".join(str(label) for label in unknown[:_NAMED])
            raise DataInvalid(
                f"label map {path} holds {shown}{', …' if len(unknown) > _NAMED else ''}, none of "
                f"the {len(self.labels)} classes; it belongs to another set or another form of it"
            )
        return classes


@lru_cache(maxsize=8)
def _lookup(rule: LabelRule) -> NDArray[Any]:
    """Class index of every number the maps can hold: uint16 ``[2 ** bits]``."""
    table = np.full(1 << rule.bits, _UNKNOWN, np.uint16)
    table[list(rule.ignored)] = IGNORE
    table[list(rule.labels)] = np.arange(len(rule.labels))
    table.setflags(write=False)
    return table
