"""Generated shapes on disk, in the forms the published segmentation sets have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from adapters.interface import JsonScalar
from suites.index import publish
from suites.segmentation.class_names import ClassNames
from suites.segmentation.mask_suite import MaskSuite
from suites.segmentation.opening import mask_suite, panoptic_suite
from suites.segmentation.panoptic_suite import PanopticSuite
from suites.segmentation.prepare.panoptic_form import as_rgb, panoptic_document, segment_record
from suites.segmentation.shapes import MASKS, PANOPTIC, classes
from suites.shapes import VERSION as SCENES_VERSION
from suites.shapes.files import Edition
from suites.shapes.scenes import Scene
from suites.shapes.vocabulary import NAMES

_VERSION = "1"
"""Raised when equal scenes give other maps."""

_CROWD_EVERY = 3
_VOID_EVERY = 4


def load_masks(*, cache: Path, **options: JsonScalar) -> MaskSuite:
    """Open ``shapes-masks``, making its files the first time.

    Raises:
        SuiteOptionError: a value that cannot be used.
    """
    edition = Edition.of(**options)
    card = replace(MASKS.card, version=_version(edition))
    folder = _folder(cache, edition)
    return mask_suite(replace(MASKS, card=card), folder, _names(), cache)


def load_panoptic(*, cache: Path, **options: JsonScalar) -> PanopticSuite:
    """Open ``shapes-panoptic``, making its files the first time.

    Raises:
        SuiteOptionError: a value that cannot be used.
    """
    edition = Edition.of(**options)
    card = replace(PANOPTIC.card, version=_version(edition))
    folder = _folder(cache, edition)
    return panoptic_suite(replace(PANOPTIC, card=card), folder, _names(), cache)


def _names() -> ClassNames:
    own = classes()
    return ClassNames(own, own, own.template)


def _version(edition: Edition) -> str:
    return f"{_VERSION}.{SCENES_VERSION} ({edition})"


def _folder(cache: Path, edition: Edition) -> Path:
    """The edition's files, made when there are none."""
    content = json.dumps({"version": _version(edition), **asdict(edition)}, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    folder = cache / "shapes-segmentation" / digest[:20]
    if not folder.is_dir():
        publish(folder, partial(_make, edition))
    return folder


def _make(edition: Edition, folder: Path) -> None:
    for name in ("images", "annotations", "panoptic"):
        (folder / name).mkdir()
    records = []
    for index in range(edition.images):
        name = f"{edition.split}-{index:06d}"
        made = edition.scene(index)
        parts = list(_parts(made, index))
        ids = np.zeros(made.pixels.shape[:2], np.uint32)
        semantic = np.zeros(ids.shape, np.uint8)
        for part in parts:
            ids[part.mask] = part.segment_id
            semantic[part.mask] = part.klass + 1
        PIL.Image.fromarray(made.pixels).save(folder / "images" / f"{name}.png")
        PIL.Image.fromarray(semantic).save(folder / "annotations" / f"{name}.png")
        PIL.Image.fromarray(as_rgb(ids)).save(folder / "panoptic" / f"{name}.png")
        segments = [segment_record(p.segment_id, p.klass, p.mask, crowd=p.crowd) for p in parts]
        records.append((name, ids.shape, segments))
    document = panoptic_document(records, classes(), picture_suffix=".png")
    (folder / "panoptic.json").write_text(json.dumps(document), encoding="utf-8")


class _Part(NamedTuple):
    segment_id: int
    klass: int
    mask: NDArray[np.bool_]
    crowd: bool


def _parts(scene: Scene, index: int) -> Iterator[_Part]:
    """A scene's segments: in some scenes one thing is a crowd, in some one shape is void."""
    things = classes().thing_flags()
    crowd_due = index % _CROWD_EVERY == 0
    for number, (name, mask) in enumerate(zip(scene.names, scene.masks, strict=True)):
        klass = NAMES.index(name)
        if number == 0 and index % _VOID_EVERY == 0:
            continue
        crowd = crowd_due and bool(things[klass])
        crowd_due = crowd_due and not crowd
        yield _Part(number + 1, klass, mask, crowd)
