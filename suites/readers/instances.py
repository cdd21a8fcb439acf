"""Reader of COCO-form annotation files: ``{images, annotations, categories}``.

LVIS (v0.5 and v1), PACO and users' own COCO files have this form. The ``lvis`` package reads it
too, but holds every polygon as Python objects (several times the file's size), drops duplicate
ids silently, and loads OpenCV and Matplotlib with it; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from suites.annotations import AnnotatedImage, AnnotatedRegion, Annotations, Category
from suites.base import DataInvalid
from suites.readers.fields import box_at, integer_at, list_at, record_at, size_at, text_at
from suites.readers.json_files import JsonDocument

NameOf = Callable[[Mapping[str, Any], str], str]


class _Picture(NamedTuple):
    file_name: str
    width: int
    height: int


class _Place(NamedTuple):
    """Where an annotation's text begins; its content is decoded again when its image is due."""

    annotation_id: int
    offset: int


def file_name_of(record: Mapping[str, Any], where: str) -> str:
    """The picture's file name as COCO has it."""
    return text_at(record, "file_name", where)


def read_instances(
    path: Path,
    *,
    edition: Callable[[int], str],
    file_name: NameOf = file_name_of,
) -> Annotations:
    """Read a COCO-form annotation file.

    Image ids become text of 12 digits (COCO's own file names); region ids are
    ``<image id>/<annotation id>``.

    Args:
        path: the annotation file.
        edition: names the release, which its number of categories tells.
        file_name: takes the picture's name out of an image record.

    Raises:
        DataMissing: the file is not there.
        DataInvalid: it is cut off, of another form, or contradicts itself.
    """
    document = JsonDocument(path)
    contents = _Contents(path, file_name)
    for element in document.elements():
        contents.add(element.key, element.offset, element.value)
    contents.require_whole()
    return Annotations(
        edition=edition(len(contents.names)),
        images=contents.images(document),
        categories=contents.categories,
    )


def read_categories(path: Path) -> dict[str, Category]:
    """Only the categories of a COCO-form file, or of a plain list of category records.

    Raises:
        DataMissing: the file is not there.
        DataInvalid: it is cut off or has no categories.
    """
    contents = _Contents(path, file_name_of)
    for element in JsonDocument(path).elements():
        if element.key in ("categories", ""):
            contents.add("categories", element.offset, element.value)
    if not contents.categories:
        raise DataInvalid(f"{path} has no categories")
    return contents.categories


class _Contents:
    """What one pass over the document keeps: pictures, names, and where annotations lie."""

    def __init__(self, path: Path, file_name: NameOf) -> None:
        self._path = path
        self._file_name = file_name
        self._pictures: dict[int, _Picture] = {}
        self._places: dict[int, list[_Place]] = {}
        self._seen: set[int] = set()
        self.names: dict[int, str] = {}
        self.categories: dict[str, Category] = {}

    def add(self, key: str, offset: int, value: object) -> None:
        if key == "images":
            self._add_picture(value)
        elif key == "annotations":
            self._add_annotation(value, offset)
        elif key == "categories":
            self._add_category(value)

    def require_whole(self) -> None:
        for key, found in (
            ("images", self._pictures),
            ("annotations", self._places),
            ("categories", self.names),
        ):
            if not found:
                raise DataInvalid(
                    f"{self._path} has no {key!r}; "
                    "a COCO-form file {images, annotations, categories} was expected"
                )
        stray = sorted(set(self._places) - set(self._pictures))
        if stray:
            raise DataInvalid(
                f"{self._path}: annotation {self._places[stray[0]][0].annotation_id} belongs to "
                f"image {stray[0]}, which is not among the images"
            )

    def images(self, document: JsonDocument) -> Iterator[AnnotatedImage]:
        digits = len(str(max(self._seen)))
        for image in sorted(self._pictures):
            image_id = f"{image:012d}"
            regions = tuple(
                self._region(f"{image_id}/{number:0{digits}d}", number, document.at(offset))
                for number, offset in sorted(self._places.get(image, ()))
            )
            yield AnnotatedImage(image_id, *self._pictures[image], regions)

    def _region(self, region_id: str, number: int, record: Mapping[str, Any]) -> AnnotatedRegion:
        where = f"{self._path}, annotation {number}"
        category = integer_at(record, "category_id", where)
        if category not in self.names:
            raise DataInvalid(f"{where}: category {category} is not among the categories")
        if "segmentation" not in record:
            raise DataInvalid(f"{where} has no 'segmentation'")
        return AnnotatedRegion(
            region_id=region_id,
            label=self.names[category],
            segmentation=record["segmentation"],
            box=box_at(record, "bbox", where),
            where=where,
        )

    def _add_picture(self, value: object) -> None:
        record = record_at(value, f"{self._path}, an image")
        number = integer_at(record, "id", f"{self._path}, an image")
        where = f"{self._path}, image {number}"
        if number in self._pictures:
            raise DataInvalid(f"{where} is listed twice")
        self._pictures[number] = _Picture(self._file_name(record, where), *size_at(record, where))

    def _add_annotation(self, value: object, offset: int) -> None:
        record = record_at(value, f"{self._path}, an annotation")
        number = integer_at(record, "id", f"{self._path}, an annotation")
        where = f"{self._path}, annotation {number}"
        if number in self._seen:
            raise DataInvalid(f"{where} is listed twice")
        self._seen.add(number)
        image = integer_at(record, "image_id", where)
        self._places.setdefault(image, []).append(_Place(number, offset))

    def _add_category(self, value: object) -> None:
        record = record_at(value, f"{self._path}, a category")
        number = integer_at(record, "id", f"{self._path}, a category")
        where = f"{self._path}, category {number}"
        name = text_at(record, "name", where)
        if number in self.names or name in self.categories:
            raise DataInvalid(f"{where} ({name!r}) is listed twice")
        synonyms = list_at(record, "synonyms", where) if "synonyms" in record else []
        frequency = text_at(record, "frequency", where) if "frequency" in record else None
        self.names[number] = name
        self.categories[name] = Category(frequency, tuple(str(s) for s in synonyms))
