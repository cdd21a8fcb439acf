"""A user's own regions from one JSON file, in one of three forms told apart by their keys.

The form to write is ``{"images": [{"file_name", "regions": [{"label", "segmentation"}]}]}``;
see ``docs/data.md``. COCO-form instances and image lists are read as well.
"""

from __future__ import annotations

from pathlib import Path

from adapters.interface import JsonScalar
from suites.annotations import Annotations
from suites.base import DataMissing, Finding, SuiteCard, SuiteOptionError
from suites.check import check_files
from suites.index import IndexSource
from suites.options import choice_option, path_option
from suites.pictures import PictureFinder
from suites.rasterize import Rasterizer
from suites.readers.image_list import read_image_list
from suites.readers.instances import read_instances
from suites.readers.json_files import JsonDocument
from suites.readers.own_regions import read_own_regions
from suites.region_suite import RegionSuite, open_region_suite
from suites.regions_json import card


def load(
    *,
    cache: Path,
    annotations: JsonScalar = None,
    images: JsonScalar = None,
    name: JsonScalar = None,
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value,
) -> RegionSuite:
    """Open a user's regions; the options are those of :data:`suites.regions_json.ENTRY`."""
    source, pictures = _locate(annotations, images, rasterizer)
    return open_region_suite(source, pictures, cache, lambda _: _card(annotations, name))


def check(
    *,
    annotations: JsonScalar = None,
    images: JsonScalar = None,
    name: JsonScalar = None,
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value,
) -> list[Finding]:
    """Say what of a user's regions is missing, cut off or mismatched."""
    return check_files(
        lambda: _locate(annotations, images, rasterizer),
        lambda _: _card(annotations, name),
        annotations_remedy="correct the annotation file; docs/data.md describes it",
        pictures_remedy="put the pictures there, or name their folder in option 'images'",
    )


def _locate(
    annotations: JsonScalar, images: JsonScalar, rasterizer: JsonScalar
) -> tuple[IndexSource, PictureFinder]:
    path = _annotation_path(annotations)
    if not path.is_file():
        raise DataMissing(f"annotation file {path} is missing; correct option 'annotations'")
    pictures = PictureFinder(path_option("images", images) or path.parent)
    source = IndexSource(
        suite="regions-json",
        files=(path,),
        read=lambda: _read(path, pictures),
        rasterizer=choice_option("rasterizer", rasterizer, Rasterizer),
    )
    return source, pictures


def _annotation_path(annotations: JsonScalar) -> Path:
    path = path_option("annotations", annotations)
    if path is None:
        raise SuiteOptionError(
            "suite 'regions-json' needs option 'annotations': the JSON file with your regions"
        )
    return path


def _read(path: Path, pictures: PictureFinder) -> Annotations:
    keys = {element.key for element in JsonDocument(path).elements()}
    if "" in keys:
        return read_image_list(path, edition="image list")
    if "annotations" in keys:
        return read_instances(path, edition=lambda _: "COCO form")
    return read_own_regions(path, pictures)


def _card(annotations: JsonScalar, name: JsonScalar) -> SuiteCard:
    if name is None:
        return card(_annotation_path(annotations).stem)
    if not isinstance(name, str) or not name.strip():
        raise SuiteOptionError(f"option 'name' must be a text, not {name!r}")
    return card(name)
