"""Panoptic segmentation with ground-truth masks: every segment is one region to be named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics.bootstrap import bootstrap_intervals
from metrics.mean_iou import PixelCounts, class_iou, count_pixels, mean_iou, mean_iou_interval
from metrics.panoptic import PanopticCounts, count_matches, predicted_segments
from metrics.panoptic_quality import class_quality, panoptic_intervals, panoptic_quality
from suites.base import Score, Scores, Selection, SuiteCard, TextEncoder
from suites.index import RegionIndex
from suites.indexed_suite import IndexedSuite
from suites.pictures import PictureFinder
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
        table = [
            *(
                score
                for suffix, group in groups
                for score in _quality(matches, group, suffix, protocol, resamples, seed)
            ),
            _miou(pixels, protocol, resamples, seed),
            _accuracy(classed, protocol, resamples, seed),
        ]
        return Scores(
            main_metric="pq",
            protocol=protocol,
            encoder_digest=encoder.digest,
            table=tuple(table),
            counts=classed.counts,
            regions=region_frame(classed, self.names, f"{SEGMENT_ACCURACY}/{protocol}"),
            categories=category_frame(
                self.names,
                protocol,
                {**quality._asdict(), "iou": class_iou(pixels)},
                np.bincount(classed.truth, minlength=classes),
            ),
            settings=self.names.settings(),
        )


def _quality(
    matches: PanopticCounts,
    group: NDArray[np.bool_] | None,
    suffix: str,
    protocol: str,
    resamples: int,
    seed: int,
) -> Iterator[Score]:
    quality = panoptic_quality(matches, group)
    intervals = panoptic_intervals(matches, group, resamples=resamples, seed=seed)
    for metric, value, (low, high) in (
        ("pq", quality.pq, intervals.pq),
        ("sq", quality.sq, intervals.sq),
        ("rq", quality.rq, intervals.rq),
    ):
        yield Score(metric + suffix, protocol, value, low, high, quality.classes)


def _miou(pixels: PixelCounts, protocol: str, resamples: int, seed: int) -> Score:
    value, classes = mean_iou(pixels)
    interval = mean_iou_interval(pixels, resamples=resamples, seed=seed)
    return Score(MEAN_IOU, protocol, value, *interval, count=classes)


def _accuracy(classed: ClassedAnswers, protocol: str, resamples: int, seed: int) -> Score:
    right = classed.right[classed.final]
    interval = bootstrap_intervals(
        right[:, None], classed.images[classed.final], resamples=resamples, seed=seed
    )[0]
    value = float(right.mean()) if len(right) else None
    return Score(SEGMENT_ACCURACY, protocol, value, *interval, count=len(right))
