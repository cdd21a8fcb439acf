"""Reader of JSON-lines annotation files, the form of WOW-Seg's evaluation.

One picture a line: ``{id, image, width, height, masks: [RLE], label: [text]}`` with masks and
labels index-aligned. ``conversations``, which training needs, is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from suites.annotations import AnnotatedImage, AnnotatedRegion, Annotations
from suites.base import DataInvalid
from suites.readers.fields import (
    identifier_at,
    kind_of,
    list_at,
    record_at,
    require_text,
    size_at,
    text_at,
)
from suites.readers.json_files import JsonLines

_KEYS = frozenset({"id", "image", "width", "height", "masks", "label", "conversations"})


def read_region_lines(path: Path, *, edition: str) -> Annotations:
    """Read a JSON-lines annotation file.

    Region ids are ``<image id>/<position in the line>``. Keys that are not read are reported in
    the annotations' ``notes``.

    Raises:
        DataMissing: the file is not there.
        DataInvalid: it is cut off, of another form, or contradicts itself.
    """
    document = JsonLines(path)
    places: dict[str, int] = {}
    unread: Counter[str] = Counter()
    for line in document.lines():
        where = f"{path}, line {line.number}"
        record = record_at(line.value, where)
        image_id = identifier_at(record, "id", where)
        if image_id in places:
            raise DataInvalid(f"{where}: id {image_id!r} is listed twice")
        places[image_id] = line.offset
        unread.update(set(record) - _KEYS)
    if not places:
        raise DataInvalid(f"{path} holds no records")
    notes = tuple(
        f"{path}: key {key!r} of {count:,} records is not read"
        for key, count in sorted(unread.items())
    )
    return Annotations(edition, _images(document, places), notes=notes)


def _images(document: JsonLines, places: Mapping[str, int]) -> Iterator[AnnotatedImage]:
    for image_id in sorted(places):
        where = f"{document.path}, record {image_id!r}"
        record = document.at(places[image_id])
        width, height = size_at(record, where)
        masks, labels = list_at(record, "masks", where), list_at(record, "label", where)
        if len(masks) != len(labels):
            raise DataInvalid(
                f"{where} has {len(labels)} labels for {len(masks)} masks; "
                "one for each was expected"
            )
        regions = []
        for position, (mask, label) in enumerate(zip(masks, labels, strict=True)):
            here = f"{where}, mask {position}"
            if not isinstance(label, str) or not label.strip():
                entry = kind_of(label)
                raise DataInvalid(f"{here} has no label: its entry in 'label' is {entry}")
            require_text(label, f"{here}: the label")
            if isinstance(mask, str):
                mask = {"size": [height, width], "counts": mask}
            regions.append(AnnotatedRegion(f"{image_id}/{position:04d}", label, mask, None, here))
        name = text_at(record, "image", where)
        yield AnnotatedImage(image_id, name, width, height, tuple(regions))
