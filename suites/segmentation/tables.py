"""Contingency tables in an index: one Arrow row per image, read back for many images at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from metrics.segment_tables import NOWHERE, PanopticTable, SemanticTable
from suites.base import DataInvalid
from suites.segmentation.jobs import SegmentTables

TABLES_FILE = "tables.arrow"
TABLES_SCHEMA = pa.schema(
    [
        ("segment_area", pa.list_(pa.int64())),
        ("truth_class", pa.list_(pa.int32())),
        ("truth_crowd", pa.list_(pa.bool_())),
        ("truth_area", pa.list_(pa.int64())),
        ("overlap_segment", pa.list_(pa.int32())),
        ("overlap_truth", pa.list_(pa.int32())),
        ("overlap_pixels", pa.list_(pa.int64())),
        ("semantic_segment", pa.list_(pa.int32())),
        ("semantic_class", pa.list_(pa.int32())),
        ("semantic_pixels", pa.list_(pa.int64())),
    ]
)


def table_record(tables: SegmentTables) -> dict[str, NDArray[Any]]:
    """One image's tables as a row of :data:`TABLES_SCHEMA`."""
    panoptic, semantic = tables
    return {
        "segment_area": panoptic.segment_area,
        "truth_class": panoptic.truth_class,
        "truth_crowd": panoptic.truth_crowd,
        "truth_area": panoptic.truth_area,
        "overlap_segment": panoptic.overlap_segment,
        "overlap_truth": panoptic.overlap_truth,
        "overlap_pixels": panoptic.overlap_pixels,
        "semantic_segment": semantic.segment,
        "semantic_class": semantic.truth_class,
        "semantic_pixels": semantic.pixels,
    }


class TableFile:
    """The tables of an index, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        """Open the tables in an index's folder.

        Raises:
            DataInvalid: there are none, or they are damaged.
        """
        path = folder / TABLES_FILE
        try:
            with pa.memory_map(str(path)) as file:
                self._rows: Any = pa.ipc.open_stream(file).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise DataInvalid(f"index {folder} is damaged ({error}); delete the folder") from error

    def read(self, asked: int) -> SegmentTables:
        """The tables of the first ``asked`` images that have a region, joined.

        An image without a region goes with those asked after it; the last ones, with all.
        """
        rows = _Rows(self._rows)
        ends = np.flatnonzero(rows.lengths("segment_area")) + 1
        if asked < len(ends):
            rows = _Rows(self._rows.slice(0, int(ends[asked - 1]) if asked else 0))
        segment_image = rows.owners("segment_area")
        truth_image = rows.owners("truth_class")
        segments, truths = rows.offsets("segment_area"), rows.offsets("truth_class")
        overlap_image = rows.owners("overlap_pixels")
        semantic_image = rows.owners("semantic_pixels")
        panoptic = PanopticTable(
            images=len(rows),
            segment_image=segment_image,
            segment_area=rows.values("segment_area", np.int64),
            truth_image=truth_image,
            truth_class=rows.values("truth_class", np.intp),
            truth_crowd=rows.values("truth_crowd", np.bool_),
            truth_area=rows.values("truth_area", np.int64),
            overlap_segment=_moved(
                rows.values("overlap_segment", np.intp), segments[overlap_image]
            ),
            overlap_truth=_moved(rows.values("overlap_truth", np.intp), truths[overlap_image]),
            overlap_pixels=rows.values("overlap_pixels", np.int64),
        )
        semantic = SemanticTable(
            images=len(rows),
            segments=len(segment_image),
            image=semantic_image,
            segment=_moved(rows.values("semantic_segment", np.intp), segments[semantic_image]),
            truth_class=rows.values("semantic_class", np.intp),
            pixels=rows.values("semantic_pixels", np.int64),
        )
        return SegmentTables(panoptic, semantic)


class _Rows:
    """Columns of lists as flat arrays."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def values(self, column: str, dtype: type[np.generic]) -> NDArray[Any]:
        flat: NDArray[Any] = pc.list_flatten(self._table.column(column)).to_numpy()
        return flat.astype(dtype)

    def owners(self, column: str) -> NDArray[np.intp]:
        """The image of every value."""
        return np.repeat(np.arange(len(self), dtype=np.intp), self.lengths(column))

    def offsets(self, column: str) -> NDArray[np.intp]:
        """Where every image's values begin."""
        lengths = self.lengths(column)
        return np.cumsum(lengths, dtype=np.intp) - lengths

    def lengths(self, column: str) -> NDArray[np.intp]:
        """How many values every image has."""
        lengths: NDArray[Any] = pc.list_value_length(self._table.column(column)).to_numpy()
        return lengths.astype(np.intp)


def _moved(indices: NDArray[np.intp], offsets: NDArray[np.intp]) -> NDArray[np.intp]:
    """An image's own indices to the whole table's; :data:`NOWHERE` stays."""
    return np.where(indices == NOWHERE, NOWHERE, indices + offsets)
