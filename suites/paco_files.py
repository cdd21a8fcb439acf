"""PACO-LVIS from its official v1 annotation JSON, or the 1K subset's.

The official files are COCO-form; objects and parts are annotations alike (a part's ``obj_ann_id``
names its object) and their 531 categories are objects and ``object:part``.
"""

from __future__ import annotations

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


def load(
    *,
    cache: Path,
    root: JsonScalar = None,
    subset: JsonScalar = Subset.VAL.value,
    annotations: JsonScalar = None,
    images: JsonScalar = None,
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value,
) -> RegionSuite:
    """Open PACO-LVIS; the options are those of :data:`suites.paco.ENTRY`."""
    source, pictures = _locate(root, subset, annotations, images, rasterizer)
    return open_region_suite(source, pictures, cache, card)


def check(
    *,
    root: JsonScalar = None,
    subset: JsonScalar = Subset.VAL.value,
    annotations: JsonScalar = None,
    images: JsonScalar = None,
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value,
) -> list[Finding]:
    """Say what of PACO-LVIS is missing, cut off or mismatched, and where to get it."""
    return check_files(
        lambda: _locate(root, subset, annotations, images, rasterizer),
        card,
        annotations_remedy=_remedy(choice_option("subset", subset, Subset)),
        pictures_remedy=coco.PICTURES_REMEDY,
    )


def _locate(
    root: JsonScalar,
    subset: JsonScalar,
    annotations: JsonScalar,
    images: JsonScalar,
    rasterizer: JsonScalar,
) -> tuple[IndexSource, PictureFinder]:
    chosen = choice_option("subset", subset, Subset)
    folder = path_option("root", root)
    path = annotation_file(
        folder,
        path_option("annotations", annotations),
        [_FILES[chosen]],
        suite="paco",
        remedy=_remedy(chosen),
    )
    source = IndexSource(
        suite="paco",
        files=(path,),
        read=lambda: _read(path, chosen),
        rasterizer=choice_option("rasterizer", rasterizer, Rasterizer),
        settings={"subset": chosen.value},
    )
    where = picture_root(folder, path_option("images", images), path)
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
