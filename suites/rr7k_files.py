"""RR-7K from JSON lines, or from SA-1B's own per-image files and a table of labels.

The data set's own schema is not documented. The JSON-lines form is the one WOW-Seg's evaluation
reads; SA-1B's files hold the same masks without labels, which a ``labels`` file then gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapters.interface import JsonScalar
from suites.annotations import Annotations
from suites.base import DataMissing, Finding, SuiteOptionError
from suites.check import check_files
from suites.index import IndexSource
from suites.options import choice_option, path_option
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer
from suites.readers.region_lines import read_region_lines
from suites.readers.sa1b import keys_not_read, read_sa1b
from suites.region_suite import RegionSuite, open_region_suite
from suites.rr7k import PICTURES_SOURCE, SOURCE, card

_ANNOTATIONS_REMEDY = f"get it from {SOURCE}"
_PICTURES_REMEDY = f"get the SA-1B archives that hold them from {PICTURES_SOURCE}"
_LOOKED_INTO = 100
"""Of SA-1B's files without labels: as many as can be read while one waits for a message."""


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of :data:`suites.rr7k.ENTRY`, as given."""

    annotations: JsonScalar = None
    labels: JsonScalar = None
    images: JsonScalar = None
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value


def load(*, cache: Path, **options: JsonScalar) -> RegionSuite:
    """Open RR-7K; the options are those of :data:`suites.rr7k.ENTRY`."""
    source, pictures = _locate(_Options(**options))
    return open_region_suite(source, pictures, cache, card)


def check(**options: JsonScalar) -> list[Finding]:
    """Say what of RR-7K is missing, cut off or mismatched, and where to get it."""
    given = _Options(**options)
    return check_files(
        lambda: _locate(given),
        card,
        annotations_remedy=_ANNOTATIONS_REMEDY,
        pictures_remedy=_PICTURES_REMEDY,
    )


def _locate(options: _Options) -> tuple[IndexSource, PictureFinder]:
    path = path_option("annotations", options.annotations)
    if path is None:
        raise SuiteOptionError(
            "suite 'rr7k' needs option 'annotations': its JSON-lines file, or a folder of SA-1B's "
            "per-image files"
        )
    labels = path_option("labels", options.labels)
    rasterizer = choice_option("rasterizer", options.rasterizer, Rasterizer)
    if path.is_dir():
        source, folder = _sa1b_source(path, labels, rasterizer), path
    else:
        source, folder = _lines_source(path, labels, rasterizer), path.parent
    return source, PictureFinder(path_option("images", options.images) or folder)


def _lines_source(path: Path, labels: Path | None, rasterizer: Rasterizer) -> IndexSource:
    if labels is not None:
        raise SuiteOptionError(
            "option 'labels' goes with a folder of SA-1B's files; the JSON-lines file "
            f"{path} has its own"
        )
    if not path.is_file():
        raise DataMissing(f"annotation file {path} is missing; {_ANNOTATIONS_REMEDY}")
    return IndexSource("rr7k", (path,), lambda: read_region_lines(path, edition="v1"), rasterizer)


def _sa1b_source(folder: Path, labels: Path | None, rasterizer: Rasterizer) -> IndexSource:
    files = tuple(sorted(folder.glob("*.json")))
    if not files:
        raise DataMissing(f"folder {folder} holds no JSON files; {_PICTURES_REMEDY}")
    if labels is None:
        unread = ", ".join(repr(key) for key in keys_not_read(files[:_LOOKED_INTO]))
        raise SuiteOptionError(
            f"SA-1B's files in {folder} have masks but no labels; give option 'labels', a JSON "
            'object from annotation id to label such as {"523353737": "dog"}'
            + (f" (keys here that are not SA-1B's, and may hold them: {unread})" if unread else "")
        )

    def read() -> Annotations:
        return read_sa1b(files, labels, edition="v1-sa1b")

    return IndexSource("rr7k", (labels, *files), read, rasterizer)
