"""Reader of the form in which users write their own regions.

``{"images": [{"file_name", "regions": [{"label", "segmentation"}]}]}``; an image may also have
``id`` (default: its file name), ``width`` and ``height`` (default: the picture's), a region
``id`` (default: its position) and ``bbox``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import PIL.Image

from suites.annotations import AnnotatedImage, AnnotatedRegion, Annotations
from suites.base import UNREADABLE, DataInvalid, DataMissing, unreadable
from suites.pictures import PictureFinder, is_absent
from suites.readers.fields import box_at, identifier_at, list_at, record_at, size_at, text_at
from suites.readers.json_files import JsonDocument

_IMAGE_KEYS = frozenset({"id", "file_name", "width", "height", "regions"})
_REGION_KEYS = frozenset({"id", "label", "segmentation", "bbox"})
_REGION_DIGITS = 6


def read_own_regions(path: Path, pictures: PictureFinder) -> Annotations:
    """Read a user's regions.

    Args:
        path: the annotation file.
        pictures: finds pictures whose size the file does not give.

    Raises:
        DataMissing: the file, or a picture whose size is needed, is not there.
        DataInvalid: the file is cut off, of another form, or contradicts itself; names the
            record and the key.
    """
    document = JsonDocument(path)
    places: dict[str, int] = {}
    unread: Counter[str] = Counter()
    for element in document.elements():
        if element.key != "images":
            unread[element.key] += 1
            continue
        where = f"{path}, image {len(places) + 1}"
        record = record_at(element.value, where)
        image_id = identifier_at(record, "id" if "id" in record else "file_name", where)
        if image_id in places:
            raise DataInvalid(f"{where}: {image_id!r} is listed twice")
        places[image_id] = element.offset
        unread.update(_unread_keys(record))
    if not places:
        raise DataInvalid(
            f'{path} has no images; {{"images": [{{"file_name", "regions": [{{"label", '
            f'"segmentation"}}]}}]}} was expected'
        )
    notes = tuple(f"{path}: key {key!r} is not read" for key in sorted(unread))
    return Annotations("own regions", _images(document, places, pictures), notes=notes)


def _unread_keys(record: Mapping[str, Any]) -> set[str]:
    regions = record.get("regions")
    listed = [r for r in regions if isinstance(r, dict)] if isinstance(regions, list) else []
    return (set(record) - _IMAGE_KEYS) | {key for r in listed for key in set(r) - _REGION_KEYS}


def _images(
    document: JsonDocument, places: Mapping[str, int], pictures: PictureFinder
) -> Iterator[AnnotatedImage]:
    for image_id in sorted(places):
        where = f"{document.path}, image {image_id!r}"
        record = document.at(places[image_id])
        name = text_at(record, "file_name", where)
        width, height = _size(record, where, pictures.find(name))
        regions = [
            _region(image_id, position, value, where)
            for position, value in enumerate(list_at(record, "regions", where))
        ]
        twice = [name for name, count in Counter(r.region_id for r in regions).items() if count > 1]
        if twice:
            raise DataInvalid(f"{where}: region {twice[0]!r} is listed twice")
        yield AnnotatedImage(image_id, name, width, height, tuple(sorted(regions, key=_by_id)))


def _by_id(region: AnnotatedRegion) -> str:
    return region.region_id


def _region(image_id: str, position: int, value: object, image: str) -> AnnotatedRegion:
    where = f"{image}, region {position}"
    record = record_at(value, where)
    number = (
        identifier_at(record, "id", where, digits=_REGION_DIGITS)
        if "id" in record
        else f"{position:0{_REGION_DIGITS}d}"
    )
    label = text_at(record, "label", where)
    if "segmentation" not in record:
        raise DataInvalid(f"{where} has no 'segmentation'")
    box = box_at(record, "bbox", where)
    return AnnotatedRegion(f"{image_id}/{number}", label, record["segmentation"], box, where)


def _size(record: Mapping[str, Any], where: str, picture: Path) -> tuple[int, int]:
    if "width" in record or "height" in record:
        return size_at(record, where)
    try:
        with PIL.Image.open(picture) as opened:
            return opened.size
    except UNREADABLE as error:
        if isinstance(error, OSError) and is_absent(error):
            raise DataMissing(
                f"{where} gives no width and height, and its picture {picture} is missing; "
                "give both, or put the picture there"
            ) from None
        raise DataInvalid(f"{where}: {unreadable(picture, error)}") from error
