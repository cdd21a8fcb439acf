"""A suite of regions with free-text references, over an index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from adapters.interface import Generation
from suites.base import ImageRecord, Scores, Selection, Suite, SuiteCard, TextEncoder
from suites.index import IndexSource, RegionIndex, open_index
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GREEDY_100 = Generation(max_new_tokens=100)
"""Decoding of protocol ``wowseg-v1``."""


class RegionSuite(Suite):
    """Regions of an index, scored by the free-text protocol."""

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
        """One row per selected region in index order.

        Columns ``region_id``, ``image_id``, ``category``, and where the dataset has them
        ``frequency`` (text) and ``synonyms`` (list of texts).
        """
        frame = self._index.regions(selection.count(len(self)))
        categories = self._index.card.categories
        if any(category.frequency is not None for category in categories.values()):
            frequency = {name: category.frequency for name, category in categories.items()}
            frame["frequency"] = frame["category"].map(frequency)
        if any(category.synonyms for category in categories.values()):
            synonyms = {name: list(category.synonyms) for name, category in categories.items()}
            frame["synonyms"] = [synonyms.get(label, []) for label in frame["category"]]
        return frame

    def score(
        self,
        answers: pd.DataFrame,
        encoder: TextEncoder,
        *,
        selection: Selection,
        resamples: int = 1000,
        seed: int = 0,
    ) -> Scores:
        """Score answers under the free-text protocol; see :meth:`Suite.score`."""
        from suites.protocols.free_text import score_free_text

        return score_free_text(
            self.references(selection), answers, encoder, resamples=resamples, seed=seed
        )


def open_region_suite(
    source: IndexSource,
    pictures: PictureFinder,
    cache: Path,
    card: Callable[[str], SuiteCard],
) -> RegionSuite:
    """Open a suite over its index, building the index the first time.

    Args:
        source: the annotation files and how to read them.
        pictures: finds the pictures.
        cache: folder that holds indexes.
        card: makes the card of an edition, which only the annotation files tell. Where polygons
            are not rasterised the datasets' own way, the card's version says so.

    Raises:
        DataMissing: an annotation file is not there.
        DataInvalid: an annotation file is cut off, of another form, or contradicts itself.
    """
    index = open_index(source, cache)
    made = card(index.card.edition)
    if source.rasterizer is not Rasterizer.PYCOCOTOOLS:
        made = replace(made, version=f"{made.version}+{source.rasterizer.value}")
    return RegionSuite(made, index, pictures)
