"""Writing COCO's panoptic form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suites.vocabularies import Vocabulary

Record = dict[str, Any]


def as_rgb(ids: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Segment ids as the three channels of a panoptic map ``[height, width, 3]``."""
    return np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=-1).astype(np.uint8)


def segment_record(
    segment_id: int, klass: int, mask: NDArray[np.bool_], *, crowd: bool = False
) -> Record:
    """An entry of ``segments_info`` for a mask with a pixel at least; categories are classes."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return {
        "id": segment_id,
        "category_id": klass,
        "area": int(np.count_nonzero(mask)),
        "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
        "iscrowd": int(crowd),
    }


def panoptic_document(
    images: Iterable[tuple[str, tuple[int, ...], list[Record]]],
    classes: Vocabulary,
    *,
    picture_suffix: str,
) -> Record:
    """The annotation file of images with their maps ``{image id}.png``.

    Args:
        images: id, ``(height, width)`` and entries of ``segments_info`` of each.
        classes: the categories, numbered by class index.
        picture_suffix: of the pictures' file names.
    """
    listed = list(images)
    return {
        "images": [
            {"id": name, "file_name": name + picture_suffix, "width": size[1], "height": size[0]}
            for name, size, _ in listed
        ],
        "annotations": [
            {"image_id": name, "file_name": f"{name}.png", "segments_info": segments}
            for name, _, segments in listed
        ],
        "categories": [
            {"id": klass, "name": label, "isthing": int(thing)}
            for klass, (label, thing) in enumerate(
                zip(classes.labels, classes.thing_flags().tolist(), strict=True)
            )
        ],
    }
