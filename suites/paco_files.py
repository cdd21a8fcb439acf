"""PACO-LVIS from its official v1 annotation JSON, or the 1K subset's.

The official files are COCO-form; objects and parts are annotations alike (a part's ``obj_ann_id``
names its object) and their 531 categories are objects and ``object:part``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapters.interface import JsonScalar
from suites import coco
from suites.annotations import Annotations
from suites.base import Finding
from suites.check import check_files
from suites.index import IndexSource
from suites.options import annotation_file, choice_option, path_option, picture_root
from suites.paco import ANNOTATIONS_URL, SUBSET_SOURCE, Subset, card
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer
from suites.readers.image_list import read_image_list
from suites.readers.instances import read_instances
from suites.region_suite import RegionSuite, open_region_suite

_FILES = {
    Subset.VAL: "paco_lvis_v1_val.json",
    Subset.TEST: "paco_lvis_v1_test.json",
    Subset.ONE_K: "paco_val_1k_category.json",
}


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of :data:`suites.paco.ENTRY`, as given."""

    root: JsonScalar = None
    subset: JsonScalar = Subset.VAL.value
    annotations: JsonScalar = None
    images: JsonScalar = None
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value


def load(*, cache: Path, **options: JsonScalar) -> RegionSuite:
    """Open PACO-LVIS; the options are those of :data:`suites.paco.ENTRY`."""
    source, pictures = _locate(_Options(**options))
    return open_region_suite(source, pictures, cache, card)


def check(**options: JsonScalar) -> list[Finding]:
    """Say what of PACO-LVIS is missing, cut off or mismatched, and where to get it."""
    given = _Options(**options)
    return check_files(
        lambda: _locate(given),
        card,
        annotations_remedy=_remedy(choice_option("subset", given.subset, Subset)),
        pictures_remedy=coco.PICTURES_REMEDY,
    )


def _locate(options: _Options) -> tuple[IndexSource, PictureFinder]:
    subset = choice_option("subset", options.subset, Subset)
    root = path_option("root", options.root)
    path = annotation_file(
        root,
        path_option("annotations", options.annotations),
        [_FILES[subset]],
        suite="paco",
        remedy=_remedy(subset),
    )
    source = IndexSource(
        suite="paco",
        files=(path,),
        read=lambda: _read(path, subset),
        rasterizer=choice_option("rasterizer", options.rasterizer, Rasterizer),
        settings={"subset": subset.value},
    )
    where = picture_root(root, path_option("images", options.images), path)
    return source, PictureFinder(where, coco.SPLIT_FOLDERS)


def _read(path: Path, subset: Subset) -> Annotations:
    edition = f"v1-{subset.value}"
    if subset is Subset.ONE_K:
        return read_image_list(path, edition=edition)
    return read_instances(path, edition=lambda _: edition, file_name=coco.picture_name)


def _remedy(subset: Subset) -> str:
    if subset is Subset.ONE_K:
        return f"get {_FILES[subset]} from {SUBSET_SOURCE}"
    return f"get {ANNOTATIONS_URL} and unpack it"
