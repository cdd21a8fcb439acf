"""Which classes of a closed vocabulary a run takes for which others."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pandas as pd

from reports.records import texts_of

MOST = 24


class Confusion(NamedTuple):
    """``confused`` of the ``regions`` of the class ``reference`` were named ``predicted``."""

    reference: str
    predicted: str
    confused: int
    regions: int

    @property
    def share(self) -> float:
        """The part of the class's regions."""
        return self.confused / self.regions


class Confusions(NamedTuple):
    """The most frequent ones first, at most ``MOST`` of ``total`` pairs."""

    pairs: tuple[Confusion, ...]
    total: int


def confusions(regions: pd.DataFrame) -> Confusions:
    """Count the pairs of classes that were mixed up; none where answers are free text."""
    if "predicted" not in regions.columns:
        return Confusions((), 0)
    truth = texts_of(regions["category"])
    named = texts_of(regions["predicted"])
    sizes = Counter(truth)
    counted = Counter(
        pair for pair in zip(truth, named, strict=True) if pair[1] and pair[0] != pair[1]
    )
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return Confusions(
        tuple(Confusion(*pair, count, sizes[pair[0]]) for pair, count in ranked[:MOST]),
        len(counted),
    )
