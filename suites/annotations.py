"""What every annotation reader yields and the index is built from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.interface import Box


class AnnotatedRegion(NamedTuple):
    """One region as annotated.

    ``segmentation`` is the file's own value (polygons or RLE), unchecked until it is rasterised;
    ``where`` names the record in messages.
    """

    region_id: str
    label: str
    segmentation: object
    box: Box | None
    where: str


class AnnotatedImage(NamedTuple):
    """One picture of the annotation file; ``file_name`` is relative to a folder of pictures."""

    image_id: str
    file_name: str
    width: int
    height: int
    regions: tuple[AnnotatedRegion, ...]


class Category(NamedTuple):
    """What a dataset says about a label beyond its name."""

    frequency: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotations:
    """The content of a suite's annotation files.

    ``images`` may be iterated once; it is sorted by ``image_id`` and each image's regions by
    ``region_id``. ``edition`` says which release of the dataset the files are. ``notes`` are
    peculiarities a user should know, such as keys that are not read.
    """

    edition: str
    images: Iterable[AnnotatedImage]
    categories: Mapping[str, Category] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
