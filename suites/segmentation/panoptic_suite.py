"""Panoptic segmentation with ground-truth masks: every segment is one region to be named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics.bootstrap import bootstrap_draws
from metrics.mean_iou import PixelCounts, class_iou, count_pixels, mean_iou, mean_iou_draws
from metrics.panoptic import PanopticCounts, count_matches, predicted_segments
from metrics.panoptic_quality import class_quality, panoptic_draws, panoptic_quality
from suites.base import Scores, Selection, SuiteCard, TextEncoder
from suites.index import RegionIndex
from suites.indexed_suite import IndexedSuite
from suites.pictures import PictureFinder
from suites.protocols.resampled import Resampled, draws_of, resampled, sample_of
from suites.segmentation.answers import ClassedAnswers, category_frame, class_answers, region_frame
from suites.segmentation.cards import MEAN_IOU, SEGMENT_ACCURACY
from suites.segmentation.class_names import ClassNames
from suites.segmentation.tables import TableFile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class PanopticSuite(IndexedSuite):
    """Panoptic segments, scored by protocol ``gtmask-osprey-v1`` without touching a pixel."""

    def __init__(
        self,
        card: SuiteCard,
        index: RegionIndex,
        tables: TableFile,
        pictures: PictureFinder,
        names: ClassNames,
    ) -> None:
        super().__init__(card, index, pictures)
        self.names = names
        self._tables = tables

    def score(
        self,
        answers: pd.DataFrame,
        encoder: TextEncoder,
        *,
        selection: Selection,
        resamples: int = 1000,
        seed: int = 0,
    ) -> Scores:
        """PQ, SQ, RQ and mIoU of the nearest classes; see :meth:`suites.base.Suite.score`.

        A segment without a final class is no segment of the prediction.
        """
        protocol, classes = self.card.protocol, len(self.names.labels)
        things = self.names.classes.thing_flags()
        classed = class_answers(self.references(selection), answers, self.names, encoder)
        panoptic, semantic = self._tables.read(selection.count(len(self)))
        prediction = predicted_segments(panoptic, classed.predicted, things)
        matches = count_matches(prediction.table, prediction.classes, classes=classes)
        pixels = count_pixels(semantic, classed.predicted, classes=classes)
        quality = class_quality(matches)
        groups = (("", None), ("[things]", things), ("[stuff]", ~things))
        # Every selected image is drawn from, and those without a segment that go with them.
        sample = sample_of([self.digest, str(selection.count(len(self)))], seed)
        table = [
            *(
                score
                for suffix, group in groups
                for score in _quality(matches, group, suffix, protocol, sample, resamples, seed)
            ),
            _miou(pixels, protocol, sample, resamples, seed),
            _accuracy(classed, protocol, resamples, seed),
        ]
        return Scores(
            main_metric="pq",
            protocol=protocol,
            encoder_digest=encoder.digest,
            table=tuple(row.score for row in table),
            counts=classed.counts,
            regions=region_frame(classed, self.names, f"{SEGMENT_ACCURACY}/{protocol}"),
            categories=category_frame(
                self.names,
                protocol,
                {**quality._asdict(), "iou": class_iou(pixels)},
                np.bincount(classed.truth, minlength=classes),
            ),
            settings=self.names.settings(),
            draws=draws_of(table, resamples),
        )


def _quality(
    matches: PanopticCounts,
    group: NDArray[np.bool_] | None,
    suffix: str,
    protocol: str,
    sample: str,
    resamples: int,
    seed: int,
) -> Iterator[Resampled]:
    quality = panoptic_quality(matches, group)
    draws = panoptic_draws(matches, group, resamples=resamples, seed=seed)
    for metric, value, drawn in zip(("pq", "sq", "rq"), quality, draws.T, strict=False):
        yield resampled(
            metric + suffix, protocol, value, count=quality.classes, draws=drawn, sample=sample
        )


def _miou(pixels: PixelCounts, protocol: str, sample: str, resamples: int, seed: int) -> Resampled:
    value, classes = mean_iou(pixels)
    draws = mean_iou_draws(pixels, resamples=resamples, seed=seed)
    return resampled(MEAN_IOU, protocol, value, count=classes, draws=draws, sample=sample)


def _accuracy(classed: ClassedAnswers, protocol: str, resamples: int, seed: int) -> Resampled:
    right = classed.right[classed.final]
    draws = bootstrap_draws(
        right[:, None], classed.images[classed.final], resamples=resamples, seed=seed
    )[:, 0]
    value = float(right.mean()) if len(right) else None
    sample = sample_of(classed.frame["image_id"][classed.final], seed)
    return resampled(
        SEGMENT_ACCURACY, protocol, value, count=len(right), draws=draws, sample=sample
    )
