"""`bench data check`: compares a suite's files with each other and with what was published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

import PIL.Image

from suites.annotations import AnnotatedImage, Category
from suites.base import (
    UNREADABLE,
    DataInvalid,
    DataMissing,
    ExpectedCounts,
    Finding,
    Level,
    PictureError,
    SuiteCard,
    open_picture,
    require_eight_bits,
)
from suites.index import IndexSource
from suites.pictures import PictureFinder, is_absent
from suites.rasterize import Rasterizer, area, odd_polygons, require_rasterizer, to_rle

_NAMED = 5
_TAIL_BYTES = 4096
_END_MARKS = {".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9", ".png": b"IEND"}


def check_files(
    locate: Callable[[], tuple[IndexSource, PictureFinder]],
    card: Callable[[str], SuiteCard],
    *,
    annotations_remedy: str,
    pictures_remedy: str,
) -> list[Finding]:
    """Check a suite's annotation files and pictures.

    Every annotation is read and every mask rasterised; of pictures only the header and the last
    bytes are read.

    Args:
        locate: finds the files; may raise :class:`DataMissing`.
        card: makes the card of an edition, for the published counts.
        annotations_remedy: where to get the annotation files.
        pictures_remedy: where to get the pictures.

    Raises:
        SuiteOptionError: an unusable option.
    """
    try:
        source, pictures = locate()
        require_rasterizer(source.rasterizer)
        annotations = source.read()
    except DataMissing as error:
        return [Finding(Level.MISSING, "annotations", str(error))]
    except DataInvalid as error:
        return [Finding(Level.INVALID, "annotations", str(error), annotations_remedy)]
    names = ", ".join(str(path) for path in source.files)
    tally = _Tally(pictures)
    findings = []
    try:
        tally.add_all(annotations.images, source.rasterizer)
    except DataMissing as error:
        findings.append(Finding(Level.MISSING, "annotations", str(error)))
    except DataInvalid as error:
        findings.append(Finding(Level.INVALID, "annotations", str(error), annotations_remedy))
    else:
        findings.append(
            Finding(
                Level.OK,
                "annotations",
                f"{names}: edition {annotations.edition or 'unnamed'}, {tally.images:,} images, "
                f"{tally.regions:,} regions, {len(tally.labels):,} labels",
            )
        )
        findings += [Finding(Level.WARNING, "annotations", note) for note in annotations.notes]
        findings += tally.label_findings(annotations.categories)
        tally.categories = len(annotations.categories)
        expected = card(annotations.edition).expected
        found = ExpectedCounts(tally.images, tally.regions, tally.categories)
        findings += count_findings(found, expected, annotations_remedy)
    findings += tally.mask_findings(annotations_remedy)
    return [*findings, *tally.picture_findings(pictures_remedy)]


@dataclass(slots=True)
class Trouble:
    """How often something was met, and the first few names."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more, and keep its name among the first few."""
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(name)

    def __str__(self) -> str:
        return "; ".join(self.first) + ("; …" if self.count > len(self.first) else "")


@dataclass(slots=True)
class _Tally:
    pictures: PictureFinder
    images: int = 0
    regions: int = 0
    categories: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    bad_masks: Trouble = field(default_factory=Trouble)
    empty_masks: Trouble = field(default_factory=Trouble)
    odd_polygons: Trouble = field(default_factory=Trouble)
    missing: Trouble = field(default_factory=Trouble)
    missing_folders: Counter[str] = field(default_factory=Counter)
    undecodable: Trouble = field(default_factory=Trouble)

    def add_all(self, images: Iterable[AnnotatedImage], rasterizer: Rasterizer) -> None:
        for image in images:
            self.images += 1
            self.regions += len(image.regions)
            self._add_masks(image, rasterizer)
            self._add_picture(image)

    def _add_masks(self, image: AnnotatedImage, rasterizer: Rasterizer) -> None:
        for region in image.regions:
            self.labels[region.label] += 1
            try:
                mask = to_rle(
                    region.segmentation, image.width, image.height, region.where, rasterizer
                )
            except DataInvalid as error:
                self.bad_masks.add(str(error))
            else:
                if area(mask) == 0:
                    self.empty_masks.add(region.region_id)
                if odd_polygons(region.segmentation):
                    self.odd_polygons.add(region.region_id)

    def _add_picture(self, image: AnnotatedImage) -> None:
        path = self.pictures.find(image.file_name)
        try:
            look_at_picture(path, image.width, image.height)
        except FileNotFoundError:
            self.missing.add(image.file_name)
            self.missing_folders[str(PurePosixPath(image.file_name).parent)] += 1
        except PictureError as error:
            self.undecodable.add(str(error))

    def label_findings(self, categories: Mapping[str, Category]) -> Iterator[Finding]:
        unknown = sorted(set(self.labels) - set(categories)) if categories else []
        if unknown:
            shown = "; ".join(unknown[:_NAMED]) + ("; …" if len(unknown) > _NAMED else "")
            regions = sum(self.labels[label] for label in unknown)
            yield Finding(
                Level.WARNING,
                "labels",
                f"{len(unknown):,} of {len(self.labels):,} labels, of {regions:,} regions, are not "
                f"among the {len(categories):,} categories: {shown}",
                "these regions are in no frequency group and have no synonyms; give the categories "
                "of the same release",
            )

    def mask_findings(self, remedy: str) -> Iterator[Finding]:
        if self.bad_masks.count:
            yield Finding(
                Level.INVALID,
                "masks",
                f"{self.bad_masks.count:,} of {self.regions:,} masks cannot be used: "
                f"{self.bad_masks}",
                remedy,
            )
        if self.empty_masks.count:
            yield Finding(
                Level.WARNING,
                "masks",
                f"{self.empty_masks.count:,} of {self.regions:,} masks cover no pixel: "
                f"{self.empty_masks}",
                "they stay in the denominator and end as unanswerable, which scores 0",
            )
        if self.odd_polygons.count:
            yield Finding(
                Level.WARNING,
                "masks",
                f"{self.odd_polygons.count:,} of {self.regions:,} masks have polygons of fewer "
                f"than three points or with a number left over: {self.odd_polygons}",
                "they are drawn as pycocotools draws them, or left out as WOW-Seg's converter does",
            )

    def picture_findings(self, remedy: str) -> Iterator[Finding]:
        if self.missing.count:
            folders = ", ".join(
                f"{count:,} in {folder}" for folder, count in sorted(self.missing_folders.items())
            )
            yield Finding(
                Level.MISSING,
                "pictures",
                f"{self.missing.count:,} of {self.images:,} pictures are not below "
                f"{self.pictures.root} ({folders}): {self.missing}",
                remedy,
            )
        if self.undecodable.count:
            yield Finding(
                Level.INVALID,
                "pictures",
                f"{self.undecodable.count:,} of {self.images:,} pictures cannot be used: "
                f"{self.undecodable}",
                remedy,
            )
        if self.images and not (self.missing.count or self.undecodable.count):
            yield Finding(
                Level.OK, "pictures", f"all {self.images:,} are there, whole, and of their size"
            )


def count_findings(
    found: ExpectedCounts, expected: ExpectedCounts | None, remedy: str
) -> Iterator[Finding]:
    """A warning for every count that is published and not what was found."""
    if expected is None:
        return
    for name, published in asdict(expected).items():
        count = getattr(found, name)
        if published is not None and count != published:
            yield Finding(
                Level.WARNING,
                "counts",
                f"{count:,} {name}; the published set has {published:,}: scores are not "
                "comparable with published ones",
                remedy,
            )


def look_at_picture(path: Path, width: int, height: int) -> None:
    """See that a picture is there, whole, and of its size.

    Its header and last bytes are read; it is decoded only where these look wrong.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: it cannot be used, as :func:`open_picture` says.
    """
    try:
        with PIL.Image.open(path) as picture:
            require_eight_bits(path, picture)
            size = picture.size
    except UNREADABLE as error:
        if isinstance(error, OSError) and is_absent(error):
            raise FileNotFoundError(path) from None
        size = (0, 0)
    if size != (width, height) or not ends_well(path):
        open_picture(path, width, height)


def ends_well(path: Path) -> bool:
    """Whether a picture file has its format's end mark; false of formats without one."""
    mark = _END_MARKS.get(path.suffix.lower())
    if mark is None:
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return mark in file.read()
