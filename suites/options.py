"""Taking suite options, which come from a configuration file or the command line."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from adapters.interface import JsonScalar, suggestion
from suites.base import DataMissing, SuiteOptionError

Choice = TypeVar("Choice", bound=StrEnum)


def path_option(name: str, value: JsonScalar) -> Path | None:
    """A path, or ``None`` where the option is not given.

    Raises:
        SuiteOptionError: the value is not a text.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise SuiteOptionError(f"option {name!r} must be a path, not {value!r}")
    return Path(value).expanduser()


def choice_option(name: str, value: JsonScalar, choices: type[Choice]) -> Choice:
    """One of an enum's values.

    Raises:
        SuiteOptionError: the value is none of them; the message suggests the nearest.
    """
    known = [choice.value for choice in choices]
    if value not in known:
        raise SuiteOptionError(
            f"option {name!r} cannot be {value!r}{suggestion(str(value), known)} "
            f"(it can be: {', '.join(known)})"
        )
    return choices(value)


def annotation_file(
    root: Path | None, given: Path | None, names: Sequence[str], *, suite: str, remedy: str
) -> Path:
    """The annotation file: the one given, or the first of ``names`` below ``root``.

    Each name is looked up in ``root/annotations`` and ``root``.

    Raises:
        SuiteOptionError: neither a root nor a file is given.
        DataMissing: there is no such file; says where to get it.
    """
    if given is not None:
        if not given.is_file():
            raise DataMissing(f"annotation file {given} is missing; {remedy}")
        return given
    if root is None:
        raise SuiteOptionError(
            f"suite {suite!r} needs its data: give option 'root' (the folder with annotations and "
            "pictures) or 'annotations' and 'images'"
        )
    places = [root / folder / name for name in names for folder in ("annotations", ".")]
    for place in places:
        if place.is_file():
            return place
    raise DataMissing(f"annotation file {places[0]} is missing; {remedy}")


def picture_root(root: Path | None, images: Path | None, annotations: Path) -> Path:
    """The folder pictures are looked up in: ``images``, else ``root``, else the file's own."""
    return images or root or annotations.parent
