"""A suite whose regions lie in an index; how answers are scored is left to its subclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.interface import Generation
from suites.base import ImageRecord, Selection, Suite, SuiteCard
from suites.index import RegionIndex
from suites.pictures import PictureFinder

if TYPE_CHECKING:
    import pandas as pd

GREEDY_100 = Generation(max_new_tokens=100)
"""Decoding of protocol ``wowseg-v1``."""


class IndexedSuite(Suite):
    """Regions of an index and the pictures they lie in."""

    def __init__(
        self,
        card: SuiteCard,
        index: RegionIndex,
        pictures: PictureFinder,
        generation: Generation = GREEDY_100,
    ) -> None:
        self.card = card
        self.generation = generation
        self.digest = index.card.key
        self._index = index
        self._pictures = pictures

    @property
    def index(self) -> RegionIndex:
        """The index behind the suite."""
        return self._index

    def __len__(self) -> int:
        return len(self._index)

    def record(self, index: int) -> ImageRecord:
        """The ``index``-th image's regions, without opening the picture."""
        row = self._index.row(index)
        return ImageRecord(
            image_id=row.image_id,
            path=self._pictures.find(row.file_name),
            width=row.width,
            height=row.height,
            region_ids=row.region_ids,
            masks=row.masks,
            boxes=row.boxes,
            labels=row.labels,
        )

    def references(self, selection: Selection) -> pd.DataFrame:
        """One row per selected region in index order; see :meth:`Suite.references`."""
        return self._index.regions(selection.count(len(self)))
