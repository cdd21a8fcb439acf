"""The rows of an index: one picture each, with its regions as aligned lists."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from adapters.interface import RLE
from suites.annotations import AnnotatedImage
from suites.rasterize import Rasterizer, area, to_rle

_IMAGES_PER_BATCH = 256
_Row = tuple[AnnotatedImage, list[RLE]]
REGIONS_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("file_name", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("region_ids", pa.list_(pa.string())),
        ("counts", pa.list_(pa.string())),
        ("boxes", pa.list_(pa.list_(pa.float64()))),
        ("labels", pa.list_(pa.string())),
    ]
)


@dataclass(slots=True)
class Tally:
    """What went into an index, and what was left out."""

    images: int = 0
    images_without_regions: int = 0
    regions: int = 0
    empty_masks: int = 0

    def count(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Pass on the pictures that have regions, counting."""
        for image, masks in rows:
            if not image.regions:
                self.images_without_regions += 1
                continue
            self.images += 1
            self.regions += len(masks)
            self.empty_masks += sum(area(mask) == 0 for mask in masks)
            yield image, masks


def _rows(images: Iterable[AnnotatedImage], rasterizer: Rasterizer) -> Iterator[_Row]:
    for image in images:
        yield (
            image,
            [
                to_rle(r.segmentation, image.width, image.height, r.where, rasterizer)
                for r in image.regions
            ],
        )


def write_regions(path: Path, images: Iterable[AnnotatedImage], rasterizer: Rasterizer) -> Tally:
    """Rasterise every region and write the index's rows, a batch of pictures at a time.

    Raises:
        DataInvalid: a segmentation cannot be a mask of its picture.
    """
    rows = _rows(images, rasterizer)
    tally = Tally()
    records = (_record(image, masks) for image, masks in tally.count(rows))
    with path.open("wb") as file:
        with pa.ipc.new_stream(file, REGIONS_SCHEMA) as writer:
            while batch := list(islice(records, _IMAGES_PER_BATCH)):
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=REGIONS_SCHEMA))
        file.flush()
        os.fsync(file.fileno())
    return tally


def _record(image: AnnotatedImage, masks: list[RLE]) -> dict[str, object]:
    boxes = [list(region.box) for region in image.regions if region.box is not None]
    return {
        "image_id": image.image_id,
        "file_name": image.file_name,
        "width": image.width,
        "height": image.height,
        "region_ids": [region.region_id for region in image.regions],
        "counts": [mask.counts for mask in masks],
        # Boxes are all or nothing: an adapter that wants boxes cannot use some of them.
        "boxes": boxes if len(boxes) == len(masks) else None,
        "labels": [region.label for region in image.regions],
    }
