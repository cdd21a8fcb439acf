"""What a suite is: a frozen card, an index of regions, and an evaluation protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import PIL.Image

from adapters.interface import RLE, Box, Generation, RegionQuery, Task
from suites.pictures import is_absent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class SuiteError(Exception):
    """Base of every error a suite raises on purpose; the message names what to change."""


class UnknownSuite(SuiteError):
    """The suite name is not registered."""


class SuiteOptionError(SuiteError):
    """A suite option is unknown, missing, or has a value that cannot be used."""


class DataMissing(SuiteError):
    """A file or folder the suite needs is not there; the message says where to get it."""


class DataInvalid(SuiteError):
    """An annotation file is cut off, of another form, or contradicts itself."""


class PictureError(SuiteError):
    """One picture is missing, cannot be decoded, or has another size than annotated."""


@dataclass(frozen=True, slots=True)
class MetricCard:
    """One metric a suite reports: its name, its direction, and what it measures."""

    name: str
    description: str
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class ExpectedCounts:
    """How much the published set holds, ``None`` where that is not published.

    A check compares the files with it.
    """

    images: int
    regions: int | None = None
    categories: int | None = None


@dataclass(frozen=True, slots=True)
class SuiteCard:
    """Everything that identifies a suite, stored with every run.

    ``version`` is raised when the set or its preparation changes; the old version then names
    its successor in ``superseded_by``. ``main_metric`` under ``protocol`` is the board's column;
    the suite's :class:`Scores` have to name the same, or they are refused.
    ``show_pictures`` is false where the licence forbids republishing them.
    """

    name: str
    version: str
    summary: str
    task: Task
    metrics: tuple[MetricCard, ...]
    main_metric: str
    protocol: str
    licence: str
    source: str
    citation: str
    expected: ExpectedCounts | None = None
    superseded_by: str | None = None
    show_pictures: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a suite a run covers: the first ``limit`` images of the index, or all."""

    limit: int | None = None

    def count(self, images: int) -> int:
        """Number of images selected out of ``images``."""
        return images if self.limit is None else min(self.limit, images)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of the index with its regions; the tuples are aligned.

    ``path`` is where the picture should lie (it may be missing); ``labels`` are the annotation
    file's own, uncleaned: every protocol cleans them its own way.
    """

    image_id: str
    path: Path
    width: int
    height: int
    region_ids: tuple[str, ...]
    masks: tuple[RLE, ...]
    boxes: tuple[Box, ...] | None
    labels: tuple[str, ...]


class TextEncoder(Protocol):
    """A deterministic sentence encoder (see ``metrics.encoder``)."""

    @property
    def digest(self) -> str:
        """Hex digest of the encoder's weights and settings; part of every score's identity."""
        ...

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings ``[len(texts), dimensions]``."""
        ...


@dataclass(frozen=True, slots=True)
class Score:
    """One number: ``value`` in [0, 1] (or [-1, 1]), its 95 % interval and denominator.

    ``value`` is ``None`` where there is nothing to average.
    """

    metric: str
    protocol: str
    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How the selected regions ended; they add up to ``expected``."""

    expected: int
    answered: int
    empty: int
    unanswerable: int
    errored: int
    missing: int

    @property
    def complete(self) -> bool:
        """Whether every region has a final answer; only then is a score a score."""
        return self.errored == 0 and self.missing == 0 and self.expected > 0


@dataclass(frozen=True, slots=True)
class Draws:
    """The bootstrap's resampled scores, kept so that runs can be compared in pairs.

    ``values``: float32 ``[table, resamples]``, a row per row of the scores' table; NaN where a
    resample lacks the score. ``samples``: per row, a digest of the images that were drawn from,
    and of how, as by the seed.
    Rows of two runs pair, resample by resample, where metric, protocol and sample are equal.
    """

    values: NDArray[np.float32]
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a protocol makes of a run's answers.

    ``regions``: one row per selected region, sorted by ``region_id``: ``region_id``,
    ``image_id``, ``category`` (label as annotated), ``reference`` (as the main protocol cleans
    it), ``text``, ``status``, then one float column per region-level metric, named
    ``metric/protocol``. ``categories``: long form ``category``,
    ``metric``, ``protocol``, ``value``, ``count``, sorted. Both are byte-stable when written.
    ``main_metric`` is the one that the suite's card names.
    ``settings`` is what else the numbers depend on, such as a vocabulary and its digest.
    Without ``draws`` a run has its intervals, but is neither ranked nor compared by them.
    """

    main_metric: str
    protocol: str
    encoder_digest: str
    table: tuple[Score, ...]
    counts: Counts
    regions: pd.DataFrame
    categories: pd.DataFrame
    settings: Mapping[str, str] = field(default_factory=dict)
    draws: Draws | None = None

    @property
    def main(self) -> Score:
        """The board's number."""
        return next(
            s for s in self.table if s.metric == self.main_metric and s.protocol == self.protocol
        )


class Level(StrEnum):
    """How bad a finding of ``bench data check`` is."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``bench data check``: what was looked at, what was found, how to mend it."""

    level: Level
    subject: str
    message: str
    remedy: str | None = None


class Suite(ABC):
    """Regions of a dataset with references and the protocol that scores answers to them."""

    card: SuiteCard
    generation: Generation
    digest: str
    """Hex digest of everything the regions and references derive from (not of pictures)."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of images in the index."""

    @abstractmethod
    def record(self, index: int) -> ImageRecord:
        """The ``index``-th image's regions, without opening the picture."""

    @abstractmethod
    def references(self, selection: Selection) -> pd.DataFrame:
        """One row per selected region in index order.

        Columns ``region_id``, ``image_id`` and ``category`` (str; the label as in the annotation
        file), and the suite's own extras such as ``frequency`` and ``synonyms`` (lists).
        """

    @abstractmethod
    def score(
        self,
        answers: pd.DataFrame,
        encoder: TextEncoder,
        *,
        selection: Selection,
        resamples: int = 1000,
        seed: int = 0,
    ) -> Scores:
        """Score answers under the suite's protocol.

        Args:
            answers: columns ``region_id``, ``text``, ``status`` (further ones are ignored), at
                most one row per region; regions of the selection without a row are ``missing``.
            encoder: sentence encoder of the semantic metrics.
            selection: the images the run covers; they make the denominator.
            resamples: bootstrap resamples for intervals.
            seed: bootstrap seed.

        Returns:
            Scores with the main metric that the card names.

        Raises:
            SuiteError: an answer to a region the suite does not have.
        """

    def query(self, index: int) -> RegionQuery:
        """The question about the ``index``-th image, its picture decoded to RGB.

        The picture is taken as stored: EXIF orientation is not applied, as in the datasets'
        own tools.

        Raises:
            PictureError: the picture is missing, cannot be decoded, or has another size.
        """
        record = self.record(index)
        return RegionQuery(
            image_id=record.image_id,
            image=open_picture(record.path, record.width, record.height),
            image_path=record.path,
            masks=record.masks,
            boxes=record.boxes,
            region_ids=record.region_ids,
            task=self.card.task,
        )

    def queries(self, selection: Selection) -> Iterator[RegionQuery]:
        """The selected questions, in index order."""
        for index in range(selection.count(len(self))):
            yield self.query(index)


def open_picture(path: Path, width: int, height: int) -> PIL.Image.Image:
    """Decode a picture to RGB and check its size.

    Raises:
        PictureError: missing, undecodable, too large, of more than 8 bits a channel, or not
            ``width`` × ``height``; names the file.
    """
    try:
        with PIL.Image.open(path) as picture:
            require_eight_bits(path, picture)
            image = picture.convert("RGB")
    except UNREADABLE as error:
        if isinstance(error, OSError) and is_absent(error):
            raise PictureError(
                f"picture {path} is missing; `bench data check` tells what is"
            ) from None
        raise PictureError(unreadable(path, error)) from error
    if image.size != (width, height):
        raise PictureError(
            f"picture {path} is {image.width}×{image.height} pixels, the annotation says "
            f"{width}×{height}; take the picture that was annotated, or correct the annotation"
        )
    return image


UNREADABLE = (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError)
"""What PIL raises of a picture that it cannot open or decode."""


def unreadable(path: Path, error: BaseException) -> str:
    """Says why a picture cannot be used, and what to do."""
    if isinstance(error, PIL.Image.DecompressionBombError):
        most = 2 * (PIL.Image.MAX_IMAGE_PIXELS or 0)
        return (
            f"picture {path} is too large; shrink it, and its masks with it, to at most {most:,} "
            "pixels"
        )
    return f"picture {path} cannot be decoded: {error}; fetch or save it anew"


def require_eight_bits(path: Path, picture: PIL.Image.Image) -> None:
    """See that an opened picture's values fit into RGB, to which PIL would clip them: to white.

    Raises:
        PictureError: it has more bits a channel; names the file.
    """
    if picture.mode.startswith("I;16"):
        bits = 16
    elif picture.mode in ("I", "F"):
        bits = 32
    else:
        return
    raise PictureError(f"picture {path} has {bits} bits a channel; save it with 8")
