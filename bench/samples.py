"""The pictures of stored runs' suites for their sample browsers, where they may be shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bench.choices import SuiteChoice
from bench.config import ShowPictures
from bench.manifest import Manifest, SuiteRecord
from bench.output import steps, warn
from bench.picture_cache import PictureCache, SuiteNotes
from suites import registry
from suites.base import PictureError, Suite, SuiteError

if TYPE_CHECKING:
    from reports.frames import Picture, SuitePictures

_NO_DATA = "Pictures are left out: the suite's data were not there when this site was written."
_NO_PICTURES = "Pictures are left out: they were not there when this site was written."
_NOT_WANTED = "Pictures are left out; outlines show where the regions are."
_NOT_ALLOWED = (
    "Pictures are left out: nothing says that their licence lets them be shown; outlines show "
    "where the regions are."
)
_NOT_KNOWN = (
    "Pictures are left out: whether their licence lets them be shown could not be looked up when "
    "this site was written; outlines show where the regions are."
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One suite, and how many of its first pictures the runs cover."""

    suite: SuiteRecord
    images: int


@dataclass(frozen=True, slots=True)
class _Stored:
    """Reads pictures back; a class, so that it can be sent to another process."""

    cache: PictureCache
    images: int
    shown: bool

    def __call__(self) -> Iterator[Picture]:
        return self.cache.read(self.images, shown=self.shown)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes pictures into the cache below ``folder``, telling ``progress``."""

    folder: Path
    show: ShowPictures
    progress: Callable[[str, int, int], None]

    def pictures(self, wanted: _Wanted) -> SuitePictures:
        """The pictures of one suite, or a note why there are none."""
        cache = PictureCache.of(self.folder, wanted.suite.digest)
        notes, asked = cache.notes(), card_code(wanted.suite.kind)
        if notes is not None and notes.asked == asked:
            shown = self._shown(notes)
            if not cache.lacking(wanted.images, shown=shown):
                return self._told(wanted, cache, notes)
        try:
            suite = _open(wanted.suite, self.folder)
        except SuiteError as error:
            return self._without_suite(wanted, cache, notes, asked, error)
        notes = SuiteNotes(suite.card.show_pictures, suite.card.licence, asked)
        try:
            self._make(suite, wanted, cache, shown=self._shown(notes))
        except PictureError as error:
            warn(f"no pictures of suite {wanted.suite.called}: {error}")
            self._make(suite, wanted, cache, shown=False)
            return _described(wanted, cache, notes.licence, note=_NO_PICTURES)
        cache.write_notes(notes)
        return self._told(wanted, cache, notes)

    def _shown(self, notes: SuiteNotes) -> bool:
        return self.show is ShowPictures.ALWAYS or (
            self.show is ShowPictures.AUTO and notes.show_pictures
        )

    def _without_suite(
        self,
        wanted: _Wanted,
        cache: PictureCache,
        notes: SuiteNotes | None,
        asked: str,
        error: SuiteError,
    ) -> SuitePictures:
        """What was made when the suite could be opened, if the card then spoke for today's."""
        known = notes is not None and notes.asked == asked
        if notes is not None and (known or self.show is ShowPictures.ALWAYS):
            if cache.has(wanted.images, shown=self._shown(notes)):
                return self._told(wanted, cache, notes)
        elif notes is not None and cache.has(wanted.images, shown=False):
            note = _NOT_KNOWN if self.show is ShowPictures.AUTO else _NOT_WANTED
            return _described(wanted, cache, notes.licence, note=note)
        warn(f"no pictures of suite {wanted.suite.called}: {error}")
        return _described(wanted, cache, wanted.suite.licence, images=0, note=_NO_DATA)

    def _told(self, wanted: _Wanted, cache: PictureCache, notes: SuiteNotes) -> SuitePictures:
        if not self._shown(notes):
            note = _NOT_WANTED if notes.show_pictures else _NOT_ALLOWED
            return _described(wanted, cache, notes.licence, note=note)
        if not notes.show_pictures:
            warn(
                f"the site shows the pictures of suite {wanted.suite.called}, which its card "
                f"leaves out; their licence: {notes.licence}"
            )
        return _described(wanted, cache, notes.licence, shown=True)

    def _make(self, suite: Suite, wanted: _Wanted, cache: PictureCache, *, shown: bool) -> None:
        """Make what the cache lacks, and read anew what could not be read before.

        Raises:
            PictureError: none of many pictures in a row can be read.
        """
        from bench.thumbnails import picture, reread

        title = f"pictures of {wanted.suite.called}"
        for chunk in cache.lacking(wanted.images, shown=shown):
            kept = cache.chunk(chunk, shown=shown)
            made = [
                reread(suite, index, one) if shown and one.jpeg is None else one
                for index, one in enumerate(kept, chunk.start)
            ]
            for index in chunk[len(kept) :]:
                self.progress(title, index, wanted.images)
                made.append(picture(suite, index, shown=shown))
            if shown and all(one.jpeg is None for one in made):
                suite.query(chunk.start)
            if made != kept:
                cache.write(chunk, made, shown=shown)
        self.progress(title, wanted.images, wanted.images)


def suite_pictures(
    manifests: Iterable[Manifest], cache: Path, show: ShowPictures
) -> tuple[SuitePictures, ...]:
    """The pictures of every suite that a run is of, by the suite's digest.

    What is not in the cache yet is made from the suite, opened as the run's manifest says. Its
    card is asked anew when its code has changed. A suite that cannot be opened here any more has
    what was made while its card's code was the same, else no pictures, and a note says so.

    Args:
        manifests: of the runs that have a page.
        cache: the folder of built indexes, which keeps the pictures too.
        show: whether the suites' cards decide; showing what a card leaves out is warned about.

    Raises:
        StoreError: the cache cannot be written.
    """
    with steps() as progress:
        maker = _Maker(cache, show, progress)
        return tuple(maker.pictures(wanted) for wanted in _wanted(manifests))


def _wanted(manifests: Iterable[Manifest]) -> list[_Wanted]:
    found: dict[str, _Wanted] = {}
    for manifest in manifests:
        suite, images = manifest.suite, manifest.selection.images
        known = found.get(suite.digest)
        if known is None or known.images < images:
            found[suite.digest] = _Wanted(suite, images)
    return [found[digest] for digest in sorted(found)]


def _open(recorded: SuiteRecord, folder: Path) -> Suite:
    choice = SuiteChoice(recorded.called, recorded.kind, recorded.options, ())
    suite = choice.load(folder)
    if suite.digest != recorded.digest:
        raise SuiteError(
            f"its data have changed since the run; `bench run` measures suite {recorded.called} "
            "as it is now"
        )
    return suite


def card_code(kind: str) -> str:
    """Stands for the code that the cards of a suite come from; "" where it is not installed."""
    from reports.fingerprint import code

    try:
        package = registry.entry(kind).loader.partition(":")[0].partition(".")[0]
    except SuiteError:
        return ""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return ""
    if spec.submodule_search_locations is not None:
        return code(package)
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()


def _described(
    wanted: _Wanted,
    cache: PictureCache,
    licence: str,
    *,
    shown: bool = False,
    images: int | None = None,
    note: str = "",
) -> SuitePictures:
    from reports.frames import SuitePictures

    digest, count = wanted.suite.digest, wanted.images if images is None else images
    made = cache.digest(count, shown=shown)
    told = f"{digest} {made} {count} {shown} {licence!r} {note!r}"
    return SuitePictures(
        suite_digest=digest,
        digest=hashlib.sha256(told.encode()).hexdigest(),
        licence=licence,
        note=note,
        images=count,
        load=_Stored(cache, count, shown),
    )
