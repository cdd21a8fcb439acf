"""`bench data check` of a segmentation set: every folder, every map, every picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from adapters.interface import JsonScalar
from suites.base import DataInvalid, DataMissing, ExpectedCounts, Finding, Level, PictureError
from suites.check import Trouble, count_findings, look_at_picture
from suites.pictures import PictureFinder
from suites.segmentation.class_names import class_names
from suites.segmentation.jobs import MOST_SEGMENTS, Job
from suites.segmentation.locate import Listing, SegmentationSet, list_masks, look_for, root_of
from suites.segmentation.ordered_pool import ordered_map, processes_for
from suites.segmentation.panoptic_files import list_panoptic
from suites.segmentation.prepared import edition, trouble
from suites.segmentation.sets import Folder, MaskSet, PanopticSet

_IMAGES_PER_CHUNK = 8


def check_masks(
    masks: MaskSet,
    *,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> list[Finding]:
    """Say what of a set of semantic maps is missing or unusable, and how to get it.

    Raises:
        SuiteOptionError: an unusable option.
    """
    class_names(masks.classes(), vocabulary, template)
    folder = root_of(masks.card.name, root)
    return list(_check(masks, folder, (masks.maps,), partial(list_masks, masks, folder)))


def check_panoptic(
    panoptic: PanopticSet,
    *,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> list[Finding]:
    """Say what of a panoptic set is missing or unusable, and how to get it.

    Raises:
        SuiteOptionError: an unusable option.
    """
    class_names(panoptic.classes(), vocabulary, template)
    folder = root_of(panoptic.card.name, root)
    needed = (panoptic.maps, panoptic.annotations)
    return list(_check(panoptic, folder, needed, partial(list_panoptic, panoptic, folder)))


def _check(
    found: SegmentationSet,
    root: Path,
    needed: Sequence[Folder],
    listing: Callable[[], Listing],
) -> Iterator[Finding]:
    findings = [_folder_finding(found, root, folder) for folder in needed]
    yield from findings
    lacking = any(finding.level is Level.MISSING for finding in findings)
    # What a preparation starts from matters only until it is done.
    if lacking:
        yield from (_folder_finding(found, root, folder) for folder in found.published)
    yield _folder_finding(found, root, found.pictures)
    if isinstance(found, MaskSet):
        yield from _preparation_findings(found, root)
    if lacking:
        return
    try:
        images = listing()
    except (DataMissing, DataInvalid) as error:
        yield Finding(Level.INVALID, "annotations", str(error), needed[-1].remedy)
        return
    tally = _Tally()
    for looked in _look(images):
        tally.add(looked)
    yield from tally.findings(found, needed[-1].remedy)


def _folder_finding(found: SegmentationSet, root: Path, folder: Folder) -> Finding:
    present = look_for(root, found.homes, folder)
    if present is None:
        place = root / folder.patterns[0]
        return Finding(Level.MISSING, folder.content, f"no file matches {place}", folder.remedy)
    parent = present.files[0].parent
    return Finding(Level.OK, folder.content, f"{len(present.files):,} found, such as in {parent}")


def _preparation_findings(masks: MaskSet, root: Path) -> Iterator[Finding]:
    message = trouble(masks, root)
    if message is not None:
        version = edition(masks, root)
        remedy = f"delete the folder and {masks.pictures.remedy}; kept, they are version {version}"
        yield Finding(Level.WARNING, "pictures", message, remedy)


class _Looked(NamedTuple):
    """What was seen of one picture and its maps; a problem is a message."""

    image_id: str
    regions: int = 0
    unasked: int = 0
    unseen: int = 0
    map_problem: str = ""
    picture_missing: bool = False
    picture_problem: str = ""


def _look(images: Listing) -> Iterator[_Looked]:
    jobs = images.jobs
    chunks = [
        jobs[start : start + _IMAGES_PER_CHUNK] for start in range(0, len(jobs), _IMAGES_PER_CHUNK)
    ]
    look = partial(_look_at, images.pictures)
    for chunk in ordered_map(look, chunks, processes=processes_for(len(jobs))):
        yield from chunk


def _look_at(pictures: PictureFinder, jobs: Sequence[Job]) -> list[_Looked]:
    return [_look_at_one(pictures, job) for job in jobs]


def _look_at_one(pictures: PictureFinder, job: Job) -> _Looked:
    path = pictures.find(job.picture)
    try:
        image = job.extract()
    except (DataMissing, DataInvalid) as error:
        return _Looked(job.image_id, map_problem=str(error), picture_missing=not path.is_file())
    looked = _Looked(job.image_id, len(image.keys), image.unasked, image.unseen)
    try:
        look_at_picture(path, image.width, image.height)
    except FileNotFoundError:
        return looked._replace(picture_missing=True)
    except PictureError as error:
        return looked._replace(picture_problem=str(error))
    return looked


@dataclass(slots=True)
class _Tally:
    images: int = 0
    regions: int = 0
    unasked: Trouble = field(default_factory=Trouble)
    unseen: Trouble = field(default_factory=Trouble)
    empty: Trouble = field(default_factory=Trouble)
    bad_maps: Trouble = field(default_factory=Trouble)
    missing_pictures: Trouble = field(default_factory=Trouble)
    bad_pictures: Trouble = field(default_factory=Trouble)

    def add(self, looked: _Looked) -> None:
        self.images += 1
        self.regions += looked.regions
        if looked.map_problem:
            self.bad_maps.add(looked.map_problem)
        elif not looked.regions:
            self.empty.add(looked.image_id)
        if looked.unasked:
            self.unasked.add(f"{looked.image_id} ({looked.unasked})")
        if looked.unseen:
            self.unseen.add(f"{looked.image_id} ({looked.unseen})")
        if looked.picture_missing:
            self.missing_pictures.add(looked.image_id)
        if looked.picture_problem:
            self.bad_pictures.add(looked.picture_problem)

    def findings(self, found: SegmentationSet, remedy: str) -> Iterator[Finding]:
        """What the maps and pictures say; the folders have been named before."""
        yield from self._map_findings(remedy, panoptic=isinstance(found, PanopticSet))
        expected = found.card.expected
        if expected is not None:
            # The maps' classes are the vocabulary's, or the maps are invalid.
            counted = ExpectedCounts(self.images, self.regions, expected.categories)
            yield from count_findings(counted, expected, found.maps.remedy)
        yield from self._picture_findings(found.pictures.remedy)

    def _map_findings(self, remedy: str, *, panoptic: bool) -> Iterator[Finding]:
        if self.bad_maps.count:
            yield self._finding(Level.INVALID, "maps", "cannot be used", self.bad_maps, remedy)
        else:
            yield Finding(
                Level.OK, "maps", f"all {self.images:,} are whole: {self.regions:,} regions"
            )
        if self.empty.count:
            becomes = (
                "they are not asked about; their pixels and listed segments count in PQ and mIoU"
                if panoptic
                else "they are left out"
            )
            yield self._finding(Level.WARNING, "maps", "hold no region", self.empty, becomes)
        if self.unasked.count:
            message = f"show more than {MOST_SEGMENTS} segments"
            remedy = "the last ones, counted here, are in no score's prediction"
            yield self._finding(Level.WARNING, "segments", message, self.unasked, remedy)
        if self.unseen.count:
            message = "have segments that are listed but have no pixel"
            remedy = (
                "they count as never found, as in the panoptic API; ADE20K's preparation makes "
                "some where things cover stuff"
            )
            yield self._finding(Level.WARNING, "segments", message, self.unseen, remedy)

    def _picture_findings(self, remedy: str) -> Iterator[Finding]:
        if self.missing_pictures.count:
            yield self._finding(
                Level.MISSING, "pictures", "are missing", self.missing_pictures, remedy
            )
        if self.bad_pictures.count:
            yield self._finding(
                Level.INVALID, "pictures", "cannot be used", self.bad_pictures, remedy
            )
        if not (self.missing_pictures.count or self.bad_pictures.count or self.bad_maps.count):
            yield Finding(Level.OK, "pictures", f"all {self.images:,} are whole and of their size")

    def _finding(
        self, level: Level, subject: str, what: str, trouble: Trouble, remedy: str
    ) -> Finding:
        message = f"{trouble.count:,} of {self.images:,} {what}: {trouble}"
        return Finding(level, subject, message, remedy)
