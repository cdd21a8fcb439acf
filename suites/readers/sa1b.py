"""Reader of SA-1B's per-image annotation files, with labels from a table.

A file holds ``{image: {image_id, width, height, file_name}, annotations: [{id, segmentation,
bbox, …}]}``; SA-1B has no labels, so only the masks that the table names become regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from suites.annotations import AnnotatedImage, AnnotatedRegion, Annotations
from suites.base import DataInvalid
from suites.readers.fields import (
    box_at,
    identifier_at,
    integer_at,
    list_at,
    record_at,
    size_at,
    text_at,
)
from suites.readers.json_files import JsonDocument

_ID_DIGITS = 12
_FILE_KEYS = frozenset({"image", "annotations"})
_IMAGE_KEYS = frozenset({"image_id", "width", "height", "file_name"})
_ANNOTATION_KEYS = frozenset(
    # The second line is SA-1B's own too, and says nothing about a region's name.
    {"id", "segmentation", "bbox"}
    | {"area", "predicted_iou", "stability_score", "crop_box", "point_coords"}
)


def read_sa1b(files: Sequence[Path], labels: Path, *, edition: str) -> Annotations:
    """Read SA-1B's files and the table ``{annotation id: label}``.

    Keys that SA-1B does not have are reported in the annotations' ``notes``.

    Raises:
        DataMissing: a file is not there.
        DataInvalid: a file is cut off or of another form, or the table names a mask that no
            file has.
    """
    table = _read_labels(labels)
    order: dict[str, Path] = {}
    found: set[str] = set()
    unread: Counter[str] = Counter()
    for path in files:
        content = _read(path)
        image = record_at(content.get("image"), f"{path}, 'image'")
        image_id = identifier_at(image, "image_id", str(path), digits=_ID_DIGITS)
        if image_id in order:
            raise DataInvalid(f"{path} and {order[image_id]} are both about image {image_id}")
        order[image_id] = path
        unread.update(_unread_keys(content))
        for record in list_at(content, "annotations", str(path)):
            found.add(str(integer_at(record_at(record, str(path)), "id", str(path))))
    stray = sorted(set(table) - found)
    if stray:
        raise DataInvalid(
            f"{labels} names {len(stray):,} annotations that none of the {len(files):,} files has: "
            f"{', '.join(stray[:5])}{', …' if len(stray) > 5 else ''}"
        )
    notes = tuple(
        f"key {key!r} of {count:,} of the {len(files):,} files is not read"
        for key, count in sorted(unread.items())
    )
    return Annotations(edition, _images(order, table), notes=notes)


def keys_not_read(files: Sequence[Path]) -> list[str]:
    """The keys in the files that SA-1B does not have, sorted; one may hold the labels.

    Raises:
        DataMissing: a file is not there.
        DataInvalid: a file is cut off.
    """
    return sorted({key for path in files for key in _unread_keys(_read(path))})


def _unread_keys(content: Mapping[str, Any]) -> set[str]:
    image, annotations = content.get("image"), content["annotations"]
    unread = set(content) - _FILE_KEYS
    unread |= set(image) - _IMAGE_KEYS if isinstance(image, dict) else set()
    for record in annotations:
        unread |= set(record) - _ANNOTATION_KEYS if isinstance(record, dict) else set()
    return unread


def _read_labels(path: Path) -> dict[str, str]:
    table: dict[str, str] = {}
    for element in JsonDocument(path).elements():
        if not element.key.isdecimal():
            raise DataInvalid(
                f"{path}: {element.key!r} is not an annotation id; an object from SA-1B annotation "
                "id to label was expected"
            )
        where = f"{path}, annotation {element.key}"
        table[str(int(element.key))] = text_at({"label": element.value}, "label", where)
    if not table:
        raise DataInvalid(f"{path} holds no labels")
    return table


def _images(order: Mapping[str, Path], table: Mapping[str, str]) -> Iterator[AnnotatedImage]:
    for image_id in sorted(order):
        path = order[image_id]
        content = _read(path)
        image = record_at(content.get("image"), f"{path}, 'image'")
        width, height = size_at(image, f"{path}, 'image'")
        regions = []
        annotations = list_at(content, "annotations", str(path))
        for record in sorted(annotations, key=lambda record: int(record["id"])):
            label = table.get(str(int(record["id"])))
            if label is None:
                continue
            where = f"{path}, annotation {record['id']}"
            regions.append(
                AnnotatedRegion(
                    region_id=f"{image_id}/{int(record['id']):0{_ID_DIGITS}d}",
                    label=label,
                    segmentation=record.get("segmentation"),
                    box=box_at(record, "bbox", where),
                    where=where,
                )
            )
        name = text_at(image, "file_name", f"{path}, 'image'")
        yield AnnotatedImage(image_id, name, width, height, tuple(regions))


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, object] = {}
    annotations: list[object] = []
    for element in JsonDocument(path).elements():
        if element.key == "annotations":
            annotations.append(element.value)
        else:
            content[element.key] = element.value
    return {**content, "annotations": annotations}
