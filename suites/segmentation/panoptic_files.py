"""COCO's panoptic form: a JSON file of segments and a folder of maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from suites.base import DataInvalid
from suites.readers.fields import integer_at, list_at, record_at, size_at, text_at
from suites.readers.json_files import JsonDocument
from suites.segmentation.jobs import ListedSegment, PanopticJob
from suites.segmentation.locate import Listing, find, picture_finder
from suites.segmentation.sets import PanopticSet


def list_panoptic(panoptic: PanopticSet, root: Path) -> Listing:
    """The images of a panoptic set.

    Raises:
        DataMissing: there is no annotation file.
        DataInvalid: it is cut off, of another form, or contradicts itself.
    """
    home, (path, *_) = find(root, panoptic.homes, panoptic.annotations)
    document = _read(path)
    classes = _classes(document.categories, panoptic, path)
    jobs = []
    for image_id in sorted(document.images):
        width, height = document.images[image_id]
        record = document.annotations.get(image_id)
        where = f"{path}, annotation of image {image_id!r}"
        if record is None:
            raise DataInvalid(f"{path} lists image {image_id!r}, but no annotation of it")
        names = {"id": image_id, "folder": image_id.split("_")[0]}
        jobs.append(
            PanopticJob(
                image_id=image_id,
                picture=panoptic.picture.format(**names),
                width=width,
                height=height,
                panoptic=path.with_suffix("") / _plain_name(record, "file_name", where),
                segments=_segments(record, classes, where),
                labels=home / panoptic.semantic.format(**names),
                rule=panoptic.rule,
                annotation=where,
            )
        )
    return Listing(jobs, picture_finder(root, home, panoptic), (path.name, path.stem))


class _Document(NamedTuple):
    images: dict[str, tuple[int, int]]
    annotations: dict[str, Mapping[str, Any]]
    categories: list[int]


def _read(path: Path) -> _Document:
    images: dict[str, tuple[int, int]] = {}
    annotations: dict[str, Mapping[str, Any]] = {}
    categories: list[int] = []
    for key, offset, value in JsonDocument(path).elements():
        where = f"{path}, {key or 'element'} at byte {offset}"
        if key == "images":
            record = record_at(value, where)
            images[_plain_name(record, "id", where)] = size_at(record, where)
        elif key == "annotations":
            record = record_at(value, where)
            annotations[_plain_name(record, "image_id", where)] = record
        elif key == "categories":
            categories.append(integer_at(record_at(value, where), "id", where))
    if not images:
        raise DataInvalid(f"{path} lists no images; a panoptic annotation file was expected")
    unknown = sorted(set(annotations) - set(images))
    if unknown:
        raise DataInvalid(f"{path} annotates image {unknown[0]!r}, which it does not list")
    return _Document(images, annotations, categories)


def _classes(categories: list[int], panoptic: PanopticSet, path: Path) -> dict[int, int]:
    """Class index of every category id."""
    for ids in panoptic.category_ids:
        if sorted(categories) == sorted(ids):
            return {category: klass for klass, category in enumerate(ids)}
    raise DataInvalid(
        f"{path} has categories {_shown(sorted(categories))}; {panoptic.card.name} has "
        + " or ".join(_shown(sorted(ids)) for ids in panoptic.category_ids)
    )


def _segments(
    record: Mapping[str, Any], classes: dict[int, int], where: str
) -> tuple[ListedSegment, ...]:
    segments: dict[int, ListedSegment] = {}
    for number, value in enumerate(list_at(record, "segments_info", where), 1):
        here = f"{where}, segment {number}"
        entry = record_at(value, here)
        identifier = integer_at(entry, "id", here)
        category = integer_at(entry, "category_id", here)
        if not 0 < identifier < 1 << 24:
            raise DataInvalid(f"{here}: id {identifier} is none a panoptic map can hold")
        if identifier in segments:
            raise DataInvalid(f"{here}: id {identifier} is listed before")
        if category not in classes:
            raise DataInvalid(f"{here}: category {category} is none of the file's categories")
        crowd = integer_at(entry, "iscrowd", here) == 1
        area = integer_at(entry, "area", here)
        segments[identifier] = ListedSegment(identifier, classes[category], crowd, area)
    return tuple(segments.values())


def _plain_name(record: Mapping[str, Any], key: str, where: str) -> str:
    """A text that names a file in a known folder, and cannot lead out of it."""
    name = text_at(record, key, where)
    if PurePosixPath(name).name != name:
        raise DataInvalid(f"{where}: {key!r} is {name!r}, but a name without folders was expected")
    return name


def _shown(ids: list[int]) -> str:
    return f"{ids[0]} … {ids[-1]} ({len(ids)})" if ids else "none"
