"""Mask classification: every class present in a picture is one region to be named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics.bootstrap import bootstrap_draws
from metrics.mask_accuracy import mask_accuracy
from suites.base import Scores, Selection, SuiteCard, TextEncoder
from suites.index import RegionIndex
from suites.indexed_suite import IndexedSuite
from suites.pictures import PictureFinder
from suites.protocols.resampled import Resampled, draws_of, resampled, sample_of
from suites.segmentation.answers import ClassedAnswers, category_frame, class_answers, region_frame
from suites.segmentation.cards import MASK_ACCURACY, MICRO_ACCURACY
from suites.segmentation.class_names import ClassNames

if TYPE_CHECKING:
    import pandas as pd


class MaskSuite(IndexedSuite):
    """Class masks of semantic maps, scored by protocol ``maskacc-maskclippp-v1``."""

    def __init__(
        self, card: SuiteCard, index: RegionIndex, pictures: PictureFinder, names: ClassNames
    ) -> None:
        super().__init__(card, index, pictures)
        self.names = names

    def score(
        self,
        answers: pd.DataFrame,
        encoder: TextEncoder,
        *,
        selection: Selection,
        resamples: int = 1000,
        seed: int = 0,
    ) -> Scores:
        """Accuracy of the nearest classes; see :meth:`suites.base.Suite.score`.

        An unanswerable region is wrong. Values stand for the regions with a final answer.
        """
        protocol = self.card.protocol
        classed = class_answers(self.references(selection), answers, self.names, encoder)
        classes = len(self.names.labels)
        accuracy = mask_accuracy(
            classed.truth[classed.final], classed.predicted[classed.final], classes=classes
        )
        rows = list(_table(classed, classes, protocol, resamples, seed))
        return Scores(
            main_metric=MASK_ACCURACY,
            protocol=protocol,
            encoder_digest=encoder.digest,
            table=tuple(row.score for row in rows),
            counts=classed.counts,
            regions=region_frame(classed, self.names, f"{MICRO_ACCURACY}/{protocol}"),
            categories=category_frame(
                self.names, protocol, {MASK_ACCURACY: accuracy.per_class}, accuracy.total
            ),
            settings=self.names.settings(),
            draws=draws_of(rows, resamples),
        )


def _table(
    classed: ClassedAnswers, classes: int, protocol: str, resamples: int, seed: int
) -> Iterator[Resampled]:
    rows = classed.final
    truth, images, right = classed.truth[rows], classed.images[rows], classed.right[rows, None]
    sample = sample_of(classed.frame["image_id"][rows], seed)
    accuracy = mask_accuracy(truth, classed.predicted[rows], classes=classes)
    for metric, value, groups, count in (
        (MASK_ACCURACY, accuracy.macro, truth, np.count_nonzero(accuracy.total)),
        (MICRO_ACCURACY, accuracy.micro, None, len(truth)),
    ):
        draws = bootstrap_draws(right, images, groups, resamples=resamples, seed=seed)[:, 0]
        yield resampled(metric, protocol, value, count=int(count), draws=draws, sample=sample)
