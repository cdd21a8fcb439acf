"""A user's own regions from one JSON file, in one of three forms told apart by their keys.

The form to write is ``{"images": [{"file_name", "regions": [{"label", "segmentation"}]}]}``;
see ``docs/data.md``. COCO-form instances and image lists are read as well.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of :data:`suites.regions_json.ENTRY`, as given."""

    annotations: JsonScalar = None
    images: JsonScalar = None
    name: JsonScalar = None
    rasterizer: JsonScalar = Rasterizer.PYCOCOTOOLS.value

    def path(self) -> Path:
        """The annotation file."""
        path = path_option("annotations", self.annotations)
        if path is None:
            raise SuiteOptionError(
                "suite 'regions-json' needs option 'annotations': the JSON file with your regions"
            )
        return path

    def card(self, edition: str) -> SuiteCard:
        """The card, which is the same for every form the file may have."""
        del edition
        if self.name is None:
            return card(self.path().stem)
        if not isinstance(self.name, str) or not self.name.strip():
            raise SuiteOptionError(f"option 'name' must be a text, not {self.name!r}")
        return card(self.name)


def load(*, cache: Path, **options: JsonScalar) -> RegionSuite:
    """Open a user's regions; the options are those of :data:`suites.regions_json.ENTRY`."""
    given = _Options(**options)
    source, pictures = _locate(given)
    return open_region_suite(source, pictures, cache, given.card)


def check(**options: JsonScalar) -> list[Finding]:
    """Say what of a user's regions is missing, cut off or mismatched."""
    given = _Options(**options)
    return check_files(
        lambda: _locate(given),
        given.card,
        annotations_remedy="correct the annotation file; docs/data.md describes it",
        pictures_remedy="put the annotated pictures there, or name their folder in option "
        "'images'; a width and height in the annotation file must be the picture's own",
    )


def _locate(options: _Options) -> tuple[IndexSource, PictureFinder]:
    path = options.path()
    if not path.is_file():
        raise DataMissing(f"annotation file {path} is missing; correct option 'annotations'")
    pictures = PictureFinder(path_option("images", options.images) or path.parent, bare_names=False)
    source = IndexSource(
        suite="regions-json",
        files=(path,),
        read=lambda: _read(path, pictures),
        rasterizer=choice_option("rasterizer", options.rasterizer, Rasterizer),
    )
    return source, pictures


def _read(path: Path, pictures: PictureFinder) -> Annotations:
    keys = {element.key for element in JsonDocument(path).elements()}
    if "" in keys:
        return read_image_list(path, edition="image list")
    if "annotations" in keys:
        return read_instances(path, edition=lambda _: "COCO form")
    return read_own_regions(path, pictures)
