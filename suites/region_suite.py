"""A suite of regions with free-text references, over an index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from suites.base import Scores, Selection, SuiteCard, TextEncoder
from suites.free_text_metrics import SYNONYM_MATCH
from suites.index import IndexSource, open_index
from suites.indexed_suite import IndexedSuite
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class RegionSuite(IndexedSuite):
    """Regions of an index, scored by the free-text protocol."""

    def references(self, selection: Selection) -> pd.DataFrame:
        """One row per selected region in index order.

        Columns ``region_id``, ``image_id``, ``category``, and where the dataset has them
        ``frequency`` (text) and ``synonyms`` (list of texts).
        """
        frame = super().references(selection)
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
            self.references(selection),
            answers,
            encoder,
            main_metric=self.card.main_metric,
            resamples=resamples,
            seed=seed,
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
            are not rasterised the datasets' own way, the card's version says so; where no
            synonyms are annotated, it names no metric of them.

    Raises:
        DataMissing: an annotation file is not there.
        DataInvalid: an annotation file is cut off, of another form, or contradicts itself.
    """
    index = open_index(source, cache)
    made = card(index.card.edition)
    if not any(category.synonyms for category in index.card.categories.values()):
        metrics = tuple(metric for metric in made.metrics if metric != SYNONYM_MATCH)
        made = replace(made, metrics=metrics)
    if source.rasterizer is not Rasterizer.PYCOCOTOOLS:
        made = replace(made, version=f"{made.version}+{source.rasterizer.value}")
    return RegionSuite(made, index, pictures)
