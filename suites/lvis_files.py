"""LVIS from its official files: the annotation JSON of v1 or v0.5, or the 1K subset's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.interface import JsonScalar
from suites import coco
from suites.annotations import Annotations, Category
from suites.base import Finding, SuiteOptionError
from suites.check import check_files
from suites.index import IndexSource
from suites.lvis import ANNOTATIONS_URL, SUBSET_SOURCE, Subset, card
from suites.options import annotation_file, choice_option, path_option, picture_root
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer
from suites.readers.image_list import read_image_list
from suites.readers.instances import read_categories, read_instances
from suites.region_suite import RegionSuite, open_region_suite

_FILES = {
    Subset.FULL: ("lvis_v1_val.json", "lvis_v0.5_val.json"),
    Subset.ONE_K: ("lvis_val_1k_category.json",),
}
_REMEDIES = {
    Subset.FULL: f"get {ANNOTATIONS_URL} and unpack it",
    Subset.ONE_K: f"get lvis_val_1k_category.json from {SUBSET_SOURCE}",
}


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of :data:`suites.lvis.ENTRY`, as given."""

    root: JsonScalar = None
    subset: JsonScalar = Subset.FULL.value
    annotations: JsonScalar = None
    images: JsonScalar = None
    categories: JsonScalar = None
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value


def load(*, cache: Path, **options: JsonScalar) -> RegionSuite:
    """Open LVIS; the options are those of :data:`suites.lvis.ENTRY`."""
    source, pictures = _locate(_Options(**options))
    return open_region_suite(source, pictures, cache, card)


def check(**options: JsonScalar) -> list[Finding]:
    """Say what of LVIS is missing, cut off or mismatched, and where to get it."""
    given = _Options(**options)
    return check_files(
        lambda: _locate(given),
        card,
        annotations_remedy=_REMEDIES[choice_option("subset", given.subset, Subset)],
        pictures_remedy=coco.PICTURES_REMEDY,
    )


def _locate(options: _Options) -> tuple[IndexSource, PictureFinder]:
    subset = choice_option("subset", options.subset, Subset)
    root = path_option("root", options.root)
    path = annotation_file(
        root,
        path_option("annotations", options.annotations),
        _FILES[subset],
        suite="lvis",
        remedy=_REMEDIES[subset],
    )
    categories = path_option("categories", options.categories)
    if categories is not None and subset is Subset.FULL:
        raise SuiteOptionError("option 'categories' is for subset '1k'; the full file has its own")
    source = IndexSource(
        suite="lvis",
        files=(path,) if categories is None else (path, categories),
        read=lambda: _read(path, subset, categories),
        rasterizer=choice_option("rasterizer", options.rasterizer, Rasterizer),
        settings={"subset": subset.value},
    )
    where = picture_root(root, path_option("images", options.images), path)
    return source, PictureFinder(where, coco.SPLIT_FOLDERS)


def _read(path: Path, subset: Subset, categories: Path | None) -> Annotations:
    if subset is Subset.FULL:
        return read_instances(path, edition=_edition, file_name=coco.picture_name)
    known = {} if categories is None else read_categories(categories)
    annotations = read_image_list(path, edition="v1-1k", categories=known)
    return replace(annotations, notes=tuple(_lacking(known, categories or path)))


def _lacking(known: Mapping[str, Category], path: Path) -> Iterator[str]:
    remedy = "name lvis_v1_val.json in option 'categories'"
    if not any(category.synonyms for category in known.values()):
        yield f"{path} has no synonyms, so that synonym_match is not scored; {remedy}"
    if not any(category.frequency for category in known.values()):
        yield f"{path} has no frequencies, so that no group of them is scored; {remedy}"


def _edition(categories: int) -> str:
    """The files do not name their release; v0.5 lists 1,230 categories and v1 lists 1,203."""
    return {1_230: "v0.5", 1_203: "v1"}.get(categories, "custom")
