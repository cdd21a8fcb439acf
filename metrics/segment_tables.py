"""What segments share with the ground truth: all that panoptic quality and mean IoU need.

A table covers one image (built from its maps, stored with an index) or a whole set (joined), so
that scoring a set of answers touches no pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.contingency import overlaps, positions, sums
from metrics.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOID = 0
"""Label of a panoptic map's pixels that belong to no segment."""

NOWHERE = -1
"""Index for pixels outside: of every ground-truth segment, or of every segment asked about."""

NO_CLASS = -1
"""Class of a segment that got none, so that it is right about nothing."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments a panoptic map's annotation lists, in its order; aligned ``[n]``.

    ``ids`` are the map's labels, ``classes`` indices into the vocabulary. Among the ``crowd``
    segments of a class the order matters: see :func:`metrics.panoptic.count_matches`. ``areas``
    are the listed ones, which count for ground truth; ``None`` takes those of the map.

    Raises:
        MetricError: lengths differ, an id is listed twice, or is the void label 0.
    """

    ids: NDArray[np.int64]
    classes: NDArray[np.intp]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.classes) == len(self.crowd):
            raise MetricError(
                f"{len(self.ids)} segment ids need as many classes ({len(self.classes)}) and "
                f"crowd flags ({len(self.crowd)})"
            )
        if self.areas is not None and len(self.areas) != len(self.ids):
            raise MetricError(
                f"{len(self.areas)} areas for {len(self.ids)} segments; list one each"
            )
        _check_ids(self.ids)

    @classmethod
    def of(
        cls,
        ids: Sequence[int],
        classes: Sequence[int],
        crowd: Sequence[bool] | None = None,
        areas: Sequence[int] | None = None,
    ) -> Segments:
        """From plain sequences; ``crowd`` defaults to none, ``areas`` to those of the map."""
        return cls(
            np.asarray(ids, np.int64).reshape(-1),
            np.asarray(classes, np.intp).reshape(-1),
            np.zeros(len(ids), bool) if crowd is None else np.asarray(crowd, bool).reshape(-1),
            None if areas is None else np.asarray(areas, np.int64).reshape(-1),
        )


@dataclass(frozen=True, slots=True)
class PanopticTable:
    """Segments against ground-truth panoptic segments, for ``images`` images.

    Segments and ground-truth segments are numbered through the table, image after image. An
    overlap row says how many pixels a segment shares with a ground-truth segment, or with void
    (``overlap_truth`` = :data:`NOWHERE`). Pixels of a ground-truth label that its annotation does
    not list are in ``segment_area`` but in no row: they are neither void nor a segment, as in the
    panoptic API.
    """

    images: int
    segment_image: NDArray[np.intp]  # [segments]
    segment_area: NDArray[np.int64]  # [segments], pixels; 0 where the map does not show it
    truth_image: NDArray[np.intp]  # [truths]
    truth_class: NDArray[np.intp]  # [truths]
    truth_crowd: NDArray[np.bool_]  # [truths]
    truth_area: NDArray[np.int64]  # [truths], as listed, or else the pixels of the map
    overlap_segment: NDArray[np.intp]  # [overlaps]
    overlap_truth: NDArray[np.intp]  # [overlaps]
    overlap_pixels: NDArray[np.int64]  # [overlaps]

    @classmethod
    def of_maps(
        cls,
        segment_map: NDArray[Any],
        segment_ids: NDArray[np.int64],
        truth_map: NDArray[Any],
        truth: Segments,
    ) -> PanopticTable:
        """One image's table.

        Args:
            segment_map: integer ``[height, width]``, the segments' labels; others, 0 among
                them, are no segment.
            segment_ids: the labels that are segments, in the order of the answers about them.
            truth_map: integer ``[height, width]``, ground-truth panoptic labels, 0 = void.
            truth: the segments listed for it; areas it lists count, not those of the map.

        Raises:
            MetricError: maps of different sizes, labels that are no labels, an id twice.
        """
        _check_ids(segment_ids)
        shared = overlaps(segment_map, truth_map)
        segment = positions(shared.first, segment_ids)
        true = positions(shared.second, truth.ids)
        rows = (segment >= 0) & ((true >= 0) | (shared.second == VOID))
        inside, listed = segment >= 0, true >= 0
        truth_area = truth.areas
        if truth_area is None:
            truth_area = sums(true[listed], shared.pixels[listed], len(truth.ids))
        return cls(
            images=1,
            segment_image=np.zeros(len(segment_ids), np.intp),
            segment_area=sums(segment[inside], shared.pixels[inside], len(segment_ids)),
            truth_image=np.zeros(len(truth.ids), np.intp),
            truth_class=truth.classes,
            truth_crowd=truth.crowd,
            truth_area=truth_area,
            overlap_segment=segment[rows],
            overlap_truth=true[rows],
            overlap_pixels=shared.pixels[rows],
        )

    @classmethod
    def join(cls, tables: Sequence[PanopticTable]) -> PanopticTable:
        """The table of all images of ``tables``, in that order."""
        images = _offsets([table.images for table in tables])
        segments = _offsets([len(table.segment_area) for table in tables])
        truths = _offsets([len(table.truth_area) for table in tables])
        return cls(
            images=sum(table.images for table in tables),
            segment_image=_shifted([table.segment_image for table in tables], images),
            segment_area=_joined([table.segment_area for table in tables], np.int64),
            truth_image=_shifted([table.truth_image for table in tables], images),
            truth_class=_joined([table.truth_class for table in tables], np.intp),
            truth_crowd=_joined([table.truth_crowd for table in tables], np.bool_),
            truth_area=_joined([table.truth_area for table in tables], np.int64),
            overlap_segment=_shifted([table.overlap_segment for table in tables], segments),
            overlap_truth=_shifted([table.overlap_truth for table in tables], truths),
            overlap_pixels=_joined([table.overlap_pixels for table in tables], np.int64),
        )


@dataclass(frozen=True, slots=True)
class SemanticTable:
    """Segments against the classes of a semantic ground truth, for ``images`` images.

    A row says how many pixels of one ground-truth class lie in a segment, or in none
    (``segment`` = :data:`NOWHERE`). Pixels with the ignore label are in no row. Segments are
    numbered through the table; ``segments`` is how many there are.
    """

    images: int
    segments: int
    image: NDArray[np.intp]  # [rows]
    segment: NDArray[np.intp]  # [rows]
    truth_class: NDArray[np.intp]  # [rows]
    pixels: NDArray[np.int64]  # [rows]

    @classmethod
    def of_maps(
        cls,
        segment_map: NDArray[Any],
        segment_ids: NDArray[np.int64],
        class_map: NDArray[Any],
        *,
        ignore: int | None,
    ) -> SemanticTable:
        """One image's table.

        Args:
            segment_map: integer ``[height, width]``; labels not in ``segment_ids`` are no segment.
            segment_ids: the labels that are segments, in the order of the answers about them.
            class_map: integer ``[height, width]``, ground-truth class indices.
            ignore: the label in ``class_map`` that stands for no class.

        Raises:
            MetricError: maps of different sizes, labels that are no labels, an id twice.
        """
        _check_distinct(segment_ids)
        shared = overlaps(segment_map, class_map)
        rows = np.ones(len(shared.pixels), bool) if ignore is None else shared.second != ignore
        return cls(
            images=1,
            segments=len(segment_ids),
            image=np.zeros(np.count_nonzero(rows), np.intp),
            segment=positions(shared.first[rows], segment_ids),
            truth_class=shared.second[rows].astype(np.intp),
            pixels=shared.pixels[rows],
        )

    @classmethod
    def join(cls, tables: Sequence[SemanticTable]) -> SemanticTable:
        """The table of all images of ``tables``, in that order."""
        images = _offsets([table.images for table in tables])
        segments = _offsets([table.segments for table in tables])
        return cls(
            images=sum(table.images for table in tables),
            segments=sum(table.segments for table in tables),
            image=_shifted([table.image for table in tables], images),
            segment=_shifted([table.segment for table in tables], segments),
            truth_class=_joined([table.truth_class for table in tables], np.intp),
            pixels=_joined([table.pixels for table in tables], np.int64),
        )


def check_classes(
    classes: NDArray[np.intp], segments: int, number: int, *, lowest: int = NO_CLASS
) -> None:
    """Refuse class indices that do not fit.

    Raises:
        MetricError: not one per segment, or outside [lowest, number).
    """
    if len(classes) != segments:
        raise MetricError(f"{len(classes)} classes for {segments} segments; pass one each")
    wrong = (classes < lowest) | (classes >= number)
    if wrong.any():
        raise MetricError(
            f"class index {classes[wrong][0]} is outside the vocabulary's 0 … {number - 1}"
        )


def _check_ids(ids: NDArray[np.int64]) -> None:
    _check_distinct(ids)
    if (ids == VOID).any():
        raise MetricError(f"segment id {VOID} is the void label; list segments from 1 on")


def _check_distinct(ids: NDArray[np.int64]) -> None:
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise MetricError(f"segment id {names[counts > 1][0]} is listed twice; ids are distinct")


def _offsets(lengths: Sequence[int]) -> NDArray[np.intp]:
    return np.cumsum([0, *lengths[:-1]], dtype=np.intp)


def _joined(parts: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)


def _shifted(parts: Sequence[NDArray[Any]], offsets: NDArray[np.intp]) -> NDArray[np.intp]:
    """Joined indices, each part's moved by its offset; :data:`NOWHERE` stays."""
    indices = _joined(parts, np.intp)
    moved = indices + np.repeat(offsets[: len(parts)], [len(part) for part in parts])
    return np.where(indices == NOWHERE, NOWHERE, moved)
