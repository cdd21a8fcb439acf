"""Reader of image-list annotation files, the form of the 1K evaluation subsets.

A list of ``{id, file_name, height, width, categories: [text], annotations: [{segmentation}]}``
with categories and annotations index-aligned, as in the data set ``Osprey-ValData``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from suites.annotations import AnnotatedImage, AnnotatedRegion, Annotations, Category
from suites.base import DataInvalid
from suites.readers.fields import (
    box_at,
    identifier_at,
    kind_of,
    list_at,
    record_at,
    require_text,
    size_at,
    text_at,
)
from suites.readers.json_files import JsonDocument


def read_image_list(
    path: Path, *, edition: str, categories: Mapping[str, Category] | None = None
) -> Annotations:
    """Read an image-list annotation file.

    Region ids are ``<image id>/<position in the image's list>``.

    Raises:
        DataMissing: the file is not there.
        DataInvalid: it is cut off, of another form, or contradicts itself.
    """
    document = JsonDocument(path)
    places: dict[str, int] = {}
    for number, element in enumerate(document.elements(), 1):
        where = f"{path}, image {number}"
        if element.key:
            raise DataInvalid(f"{path} is an object, but a list of images was expected")
        image_id = identifier_at(record_at(element.value, where), "id", where)
        if image_id in places:
            raise DataInvalid(f"{where}: id {image_id!r} is listed twice")
        places[image_id] = element.offset
    if not places:
        raise DataInvalid(f"{path} holds no images")
    return Annotations(edition, _images(document, places), categories or {})


def _images(document: JsonDocument, places: Mapping[str, int]) -> Iterator[AnnotatedImage]:
    for image_id in sorted(places):
        where = f"{document.path}, image {image_id!r}"
        record = document.at(places[image_id])
        width, height = size_at(record, where)
        labels = list_at(record, "categories", where)
        annotations = list_at(record, "annotations", where)
        if len(labels) != len(annotations):
            raise DataInvalid(
                f"{where} has {len(labels)} categories for {len(annotations)} annotations; "
                "one label for each was expected"
            )
        regions = tuple(
            _region(f"{image_id}/{position:04d}", label, value, f"{where}, annotation {position}")
            for position, (label, value) in enumerate(zip(labels, annotations, strict=True))
        )
        name = text_at(record, "file_name", where)
        yield AnnotatedImage(image_id, name, width, height, regions)


def _region(region_id: str, label: object, value: object, where: str) -> AnnotatedRegion:
    record = record_at(value, where)
    if not isinstance(label, str) or not label.strip():
        entry = kind_of(label)
        raise DataInvalid(f"{where} has no label: its entry in 'categories' is {entry}")
    require_text(label, f"{where}: the label")
    if "segmentation" not in record:
        raise DataInvalid(f"{where} has no 'segmentation'")
    box = box_at(record, "bbox", where)
    return AnnotatedRegion(region_id, label, record["segmentation"], box, where)
