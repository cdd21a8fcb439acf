"""LVIS from its official files: the annotation JSON of v1 or v0.5, or the 1K subset's."""

from __future__ import annotations

from pathlib import Path

from adapters.interface import JsonScalar
from suites import coco
from suites.annotations import Annotations
from suites.base import Finding
from suites.check import check_files
from suites.index import IndexSource
from suites.lvis import ANNOTATIONS_URL, SUBSET_SOURCE, Subset, card
from suites.options import annotation_file, choice_option, path_option, picture_root
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer
from suites.readers.image_list import read_image_list
from suites.readers.instances import read_instances
from suites.region_suite import RegionSuite, open_region_suite

_FILES = {
    Subset.FULL: ("lvis_v1_val.json", "lvis_v0.5_val.json"),
    Subset.ONE_K: ("lvis_val_1k_category.json",),
}
_REMEDIES = {
    Subset.FULL: f"get {ANNOTATIONS_URL} and unpack it",
    Subset.ONE_K: f"get lvis_val_1k_category.json from {SUBSET_SOURCE}",
}


def load(
    *,
    cache: Path,
    root: JsonScalar = None,
    subset: JsonScalar = Subset.FULL.value,
    annotations: JsonScalar = None,
    images: JsonScalar = None,
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value,
) -> RegionSuite:
    """Open LVIS; the options are those of :data:`suites.lvis.ENTRY`."""
    source, pictures = _locate(root, subset, annotations, images, rasterizer)
    return open_region_suite(source, pictures, cache, card)


def check(
    *,
    root: JsonScalar = None,
    subset: JsonScalar = Subset.FULL.value,
    annotations: JsonScalar = None,
    images: JsonScalar = None,
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value,
) -> list[Finding]:
    """Say what of LVIS is missing, cut off or mismatched, and where to get it."""
    chosen = choice_option("subset", subset, Subset)
    return check_files(
        lambda: _locate(root, subset, annotations, images, rasterizer),
        card,
        annotations_remedy=_REMEDIES[chosen],
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
        _FILES[chosen],
        suite="lvis",
        remedy=_REMEDIES[chosen],
    )
    source = IndexSource(
        suite="lvis",
        files=(path,),
        read=lambda: _read(path, chosen),
        rasterizer=choice_option("rasterizer", rasterizer, Rasterizer),
        settings={"subset": chosen.value},
    )
    where = picture_root(folder, path_option("images", images), path)
    return source, PictureFinder(where, coco.SPLIT_FOLDERS)


def _read(path: Path, subset: Subset) -> Annotations:
    if subset is Subset.ONE_K:
        return read_image_list(path, edition="v1-1k")
    return read_instances(path, edition=_edition, file_name=coco.picture_name)


def _edition(categories: int) -> str:
    """The files do not name their release; v0.5 lists 1,230 categories and v1 lists 1,203."""
    return {1_230: "v0.5", 1_203: "v1"}.get(categories, f"{categories} categories")
