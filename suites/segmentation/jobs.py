"""One picture of a segmentation set: where its maps lie, and what is made of them.

A job holds paths and small numbers only, so that it can be handed to another process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from adapters.interface import RLE
from metrics.segment_tables import VOID, PanopticTable, Segments, SemanticTable
from suites.base import DataInvalid
from suites.segmentation.label_maps import read_panoptic
from suites.segmentation.label_rules import IGNORE, LabelRule
from suites.segmentation.masks import labels_in, masks_of

MOST_SEGMENTS = 300
"""Segments asked about per image at most, as in Osprey's evaluation script."""


class SegmentTables(NamedTuple):
    """What one image's regions share with its panoptic and its semantic ground truth."""

    panoptic: PanopticTable
    semantic: SemanticTable


class SegmentedImage(NamedTuple):
    """What was made of one picture's maps; the first three tuples are aligned.

    ``keys`` are the numbers that tell an image's regions apart, ascending: segment ids or class
    indices. ``unasked`` counts segments beyond :data:`MOST_SEGMENTS`, ``unseen`` segments that
    are listed but have no pixel.
    """

    width: int
    height: int
    keys: tuple[int, ...]
    classes: tuple[int, ...]
    masks: tuple[RLE, ...]
    tables: SegmentTables | None = None
    unasked: int = 0
    unseen: int = 0


class Job(Protocol):
    """One picture of a set and how to make regions of it."""

    @property
    def image_id(self) -> str:
        """Identifies the picture within the set."""
        ...

    @property
    def picture(self) -> str:
        """The picture's file name, relative to a folder of pictures."""
        ...

    @property
    def files(self) -> tuple[Path, ...]:
        """The label maps."""
        ...

    @property
    def facts(self) -> str:
        """What else the regions depend on, as text."""
        ...

    def extract(self) -> SegmentedImage:
        """Read the maps.

        Raises:
            DataMissing: a map is not there.
            DataInvalid: a map cannot be used, or contradicts another.
        """
        ...


@dataclass(frozen=True, slots=True)
class ClassMapJob:
    """A picture with a semantic map: one region per class present."""

    image_id: str
    picture: str
    labels: Path
    rule: LabelRule

    @property
    def files(self) -> tuple[Path, ...]:
        """The label map."""
        return (self.labels,)

    @property
    def facts(self) -> str:
        """The picture's name and id; the rest is in the map."""
        return f"{self.image_id} {self.picture}"

    def extract(self) -> SegmentedImage:
        """One region per class, in the order of class indices; see :meth:`Job.extract`."""
        classes = self.rule.read(self.labels)
        present = labels_in(classes)
        present = present[present != IGNORE]
        return _image(classes, present, present)


class ListedSegment(NamedTuple):
    """A record of ``segments_info``; ``klass`` is a class index."""

    segment_id: int
    klass: int
    crowd: bool
    area: int


@dataclass(frozen=True, slots=True)
class PanopticJob:
    """A picture with a panoptic map, its list of segments, and a semantic map.

    ``annotation`` names the record that lists the segments, in messages.
    """

    image_id: str
    picture: str
    width: int
    height: int
    panoptic: Path
    segments: tuple[ListedSegment, ...]
    labels: Path
    rule: LabelRule
    annotation: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The panoptic and the semantic map."""
        return (self.panoptic, self.labels)

    @property
    def facts(self) -> str:
        """Everything the annotation file says about the picture."""
        listed = " ".join(f"{s.segment_id},{s.klass},{s.crowd:d},{s.area}" for s in self.segments)
        return f"{self.image_id} {self.picture} {self.width} {self.height} {listed}"

    def extract(self) -> SegmentedImage:
        """One region per segment in the map, in the order of ids; see :meth:`Job.extract`."""
        ids = read_panoptic(self.panoptic)
        classes = self.rule.read(self.labels)
        self._check_sizes(ids, classes)
        shown = labels_in(ids)
        shown = shown[shown != VOID].astype(np.int64)
        self._check_listed(shown)
        asked = shown[:MOST_SEGMENTS]
        tables = self._tables(ids, asked, classes)
        named = {segment.segment_id: segment.klass for segment in self.segments}
        image = _image(ids, asked, np.array([named[key] for key in asked.tolist()], np.intp))
        return image._replace(
            tables=tables,
            unasked=len(shown) - len(asked),
            unseen=len(self.segments) - len(shown),
        )

    def _tables(
        self, ids: NDArray[Any], asked: NDArray[np.int64], classes: NDArray[Any]
    ) -> SegmentTables:
        return SegmentTables(
            PanopticTable.of_maps(ids, asked, ids, _listed(self.segments)),
            SemanticTable.of_maps(ids, asked, classes, ignore=IGNORE),
        )

    def _check_sizes(self, ids: NDArray[Any], classes: NDArray[Any]) -> None:
        for path, found in ((self.panoptic, ids.shape), (self.labels, classes.shape)):
            if found != (self.height, self.width):
                raise DataInvalid(
                    f"label map {path} is {found[1]}×{found[0]} pixels, {self.annotation} says "
                    f"{self.width}×{self.height}; prepare or fetch it anew"
                )

    def _check_listed(self, shown: NDArray[np.int64]) -> None:
        unlisted = np.setdiff1d(shown, [segment.segment_id for segment in self.segments])
        if len(unlisted):
            raise DataInvalid(
                f"panoptic map {self.panoptic} shows segment {unlisted[0]}, which "
                f"{self.annotation} does not list; both files have to come from one preparation"
            )


def _listed(segments: tuple[ListedSegment, ...]) -> Segments:
    return Segments.of(
        [segment.segment_id for segment in segments],
        [segment.klass for segment in segments],
        [segment.crowd for segment in segments],
        # The panoptic API takes a true segment's area from the annotation, and ADE20K's
        # preparation lists areas from before things were drawn over stuff.
        [segment.area for segment in segments],
    )


def _image(labels: NDArray[Any], keys: NDArray[Any], classes: NDArray[Any]) -> SegmentedImage:
    return SegmentedImage(
        width=labels.shape[1],
        height=labels.shape[0],
        keys=tuple(keys.tolist()),
        classes=tuple(classes.tolist()),
        masks=tuple(masks_of(labels, keys)),
    )
