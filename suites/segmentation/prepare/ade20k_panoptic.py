"""ADE20K in panoptic form, from the challenge's semantic and instance maps.

Stuff comes from the semantic maps and is drawn first; things come from the instance maps and
are drawn over it. As in the field's preparation, a stuff segment's listed area is that from
before things were drawn: the panoptic API computes with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.interface import JsonScalar
from suites.base import DataInvalid
from suites.registry import Prepared, Progress
from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC, INSTANCES
from suites.segmentation.label_maps import read_rgb
from suites.segmentation.label_rules import IGNORE, LabelRule
from suites.segmentation.locate import find, root_of
from suites.segmentation.ordered_pool import ordered_map, processes_for
from suites.segmentation.prepare.converting import save_picture
from suites.segmentation.prepare.journal import Journal
from suites.segmentation.prepare.panoptic_form import (
    Record,
    as_rgb,
    panoptic_document,
    segment_record,
)

_STEP = "ADE20K panoptic maps"
_INSTANCES_PER_CLASS = 256
"""Segment ids are (class + 1) · 256 + instance; instances are numbered in 8 bits, from 1."""


def prepare(
    *,
    progress: Progress,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> Prepared:
    """Write ``ade20k_panoptic_val/*.png`` and, last, ``ade20k_panoptic_val.json``.

    ``vocabulary`` and ``template`` have no part in it.

    Raises:
        DataMissing: there are no semantic or instance maps, or one lacks.
        DataInvalid: a map cannot be used, or an instance has two classes.
    """
    suite = ADE20K_PANOPTIC
    home, maps = find(root_of(suite.card.name, root), suite.homes, suite.maps)
    annotation = home / suite.annotations.patterns[0]
    folder = annotation.with_suffix("")
    if annotation.is_file():
        return Prepared(folder, made=0, kept=len(maps))
    instances = find(home, (".",), INSTANCES).files[0].parent
    classes = suite.classes()
    things = tuple(np.flatnonzero(classes.thing_flags()).tolist())
    folder.mkdir(exist_ok=True)
    jobs = [
        _Image(path, instances / path.name, folder / path.name, suite.rule, things) for path in maps
    ]
    with Journal(annotation.with_suffix(".partial")) as journal:
        todo = [job for job in jobs if job.name not in journal.records or not job.output.is_file()]
        kept = len(jobs) - len(todo)
        progress(_STEP, kept, len(jobs))
        made = ordered_map(_convert, todo, processes=processes_for(len(todo)))
        for done, (job, record) in enumerate(zip(todo, made, strict=True), kept + 1):
            journal.add(job.name, record)
            progress(_STEP, done, len(jobs))
        images = [(job.name, *journal.records[job.name]) for job in jobs]
        _write(annotation, panoptic_document(images, classes, picture_suffix=".jpg"))
        journal.discard()
    return Prepared(folder, made=len(todo), kept=kept)


@dataclass(frozen=True, slots=True)
class _Image:
    semantic: Path
    instances: Path
    output: Path
    rule: LabelRule
    things: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.output.stem


_Converted = tuple[tuple[int, ...], list[Record]]
"""``(height, width)`` and the entries of ``segments_info``."""


def _convert(image: _Image) -> _Converted:
    """Draw one panoptic map."""
    classes = image.rule.read(image.semantic)
    coded = read_rgb(image.instances)
    if coded.shape[:2] != classes.shape:
        raise DataInvalid(
            f"instance map {image.instances} is {coded.shape[1]}×{coded.shape[0]} pixels, "
            f"{image.semantic} is {classes.shape[1]}×{classes.shape[0]}; fetch both anew"
        )
    ids = np.zeros(classes.shape, np.uint32)
    segments = []
    for identifier, mask in chain(_stuff(classes, image.things), _things(coded, image)):
        ids[mask] = identifier
        klass = identifier // _INSTANCES_PER_CLASS - 1
        segments.append(segment_record(identifier, klass, mask))
    save_picture(as_rgb(ids), image.output)
    return classes.shape, segments


def _stuff(
    classes: NDArray[np.uint16], things: tuple[int, ...]
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Id and mask of every stuff segment, in the order of classes."""
    for klass in np.unique(classes).tolist():
        if klass != IGNORE and klass not in things:
            yield (klass + 1) * _INSTANCES_PER_CLASS, classes == klass


def _things(coded: NDArray[np.uint8], image: _Image) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Id and mask of every thing segment, in the order of instances.

    Red numbers the 100 thing classes from 1, green the picture's instances from 1.
    """
    category, instance = coded[..., 0], coded[..., 1]
    for number in np.unique(instance[instance > 0]).tolist():
        mask = instance == number
        categories = np.unique(category[mask]).tolist()
        if len(categories) != 1 or not 0 < categories[0] <= len(image.things):
            raise DataInvalid(
                f"instance map {image.instances}: instance {number} has class "
                f"{' and '.join(map(str, categories))}; one of 1 … {len(image.things)} was "
                "expected; fetch it anew"
            )
        yield (image.things[categories[0] - 1] + 1) * _INSTANCES_PER_CLASS + number, mask


def _write(path: Path, document: dict[str, Any]) -> None:
    aside = path.with_name(f".{path.name}")
    aside.write_text(json.dumps(document), encoding="utf-8")
    aside.replace(path)
