"""How a segmentation set lies on disk: facts only, nothing is read here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from suites.base import SuiteCard
from suites.segmentation.label_rules import LabelRule
from suites.vocabularies import Vocabulary


@dataclass(frozen=True, slots=True)
class Folder:
    """Files a set needs, and how to get them.

    ``patterns`` are globs below one of the set's homes, the usual one first. ``content`` says
    in a plural noun what the files are.
    """

    patterns: tuple[str, ...]
    content: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pictures are marked that our own preparation makes.

    ``note`` is a file below the home, in the pictures' folder; it holds ``version``, which is
    raised when the same published files give other pictures. ``earlier`` says what was otherwise.
    """

    note: str
    version: int
    earlier: str


@dataclass(frozen=True, slots=True)
class MaskSet:
    """A set of semantic maps.

    ``classes`` loads the set's classes. ``homes`` are the folders below ``root`` that may hold
    the set, ``"."`` being root itself. A map's name without ``ending`` is its image's id; a
    picture's name is ``picture`` with ``{id}``, and ``{folder}``, the map's folder, filled in; it
    may also lie in a folder of ``pictures``. ``published`` are the files a preparation starts
    from; ``preparation`` marks the pictures where it makes them, too.
    """

    card: SuiteCard
    classes: Callable[[], Vocabulary]
    rule: LabelRule
    homes: tuple[str, ...]
    maps: Folder
    ending: str
    picture: str
    pictures: Folder
    published: tuple[Folder, ...] = ()
    preparation: Preparation | None = None


@dataclass(frozen=True, slots=True)
class PanopticSet:
    """A set in COCO's panoptic form, with semantic maps beside it.

    ``classes`` loads the set's classes. The JSON file's maps lie in a folder of the same name.
    ``category_ids`` are the ways to number categories, each in the order of classes.
    ``semantic`` and ``picture`` name an image's files, with ``{id}`` and ``{folder}``, the id
    up to the first ``_``, filled in.
    """

    card: SuiteCard
    classes: Callable[[], Vocabulary]
    rule: LabelRule
    homes: tuple[str, ...]
    annotations: Folder
    category_ids: tuple[tuple[int, ...], ...]
    semantic: str
    maps: Folder
    picture: str
    pictures: Folder
    published: tuple[Folder, ...] = ()
