"""Finding a set's files below a user's root, and listing its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from adapters.interface import JsonScalar
from suites.base import DataMissing, SuiteOptionError
from suites.options import path_option
from suites.pictures import PictureFinder
from suites.segmentation.jobs import ClassMapJob, Job
from suites.segmentation.sets import Folder, MaskSet, PanopticSet

SegmentationSet = MaskSet | PanopticSet


class Found(NamedTuple):
    """The files of a folder, sorted by name, and the home they lie in."""

    home: Path
    files: list[Path]


@dataclass(frozen=True, slots=True)
class Listing:
    """A set's images as jobs, sorted by id, and where their pictures are."""

    jobs: Sequence[Job]
    pictures: PictureFinder
    sources: tuple[str, ...]


def root_of(name: str, option: JsonScalar) -> Path:
    """The option ``root`` of the suite called ``name``.

    Raises:
        SuiteOptionError: it is not given, or is no path.
    """
    root = path_option("root", option)
    if root is None:
        raise SuiteOptionError(
            f"suite {name!r} needs its data: give option 'root' (the folder that holds the dataset)"
        )
    return root


def look_for(root: Path, homes: Sequence[str], folder: Folder) -> Found | None:
    """The files of a folder in the first home that has any."""
    for home in homes:
        for pattern in folder.patterns:
            files = sorted((root / home).glob(pattern))
            if files:
                return Found(root / home, files)
    return None


def find(root: Path, homes: Sequence[str], folder: Folder) -> Found:
    """As :func:`look_for`.

    Raises:
        DataMissing: no home has any; says how to get them.
    """
    found = look_for(root, homes, folder)
    if found is None:
        place = root / homes[0] / folder.patterns[0]
        raise DataMissing(f"{folder.content} ({place}) are missing; {folder.remedy}")
    return found


def list_masks(masks: MaskSet, root: Path) -> Listing:
    """The images of a set of semantic maps.

    Raises:
        DataMissing: there are no maps.
    """
    home, maps = find(root, masks.homes, masks.maps)
    jobs = []
    for path in maps:
        image_id = path.name.removesuffix(masks.ending)
        picture = masks.picture.format(id=image_id, folder=path.parent.name)
        jobs.append(ClassMapJob(image_id, picture, path, masks.rule))
    return Listing(
        sorted(jobs, key=lambda job: job.image_id),
        picture_finder(root, home, masks),
        masks.maps.patterns[:1],
    )


def picture_finder(root: Path, home: Path, found: SegmentationSet) -> PictureFinder:
    """Looks for pictures in the home of the maps, then wherever the set may have them."""
    plain = [
        p.parent for p in map(PurePosixPath, found.pictures.patterns) if "*" not in str(p.parent)
    ]
    folders = [str(root / base / parent) for base in found.homes for parent in plain]
    return PictureFinder(home, folders)
