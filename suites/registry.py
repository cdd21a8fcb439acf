"""Suites by name: ours and third parties', registered as entry points.

An entry point of group ``regionbench.suites`` names a module-level :class:`SuiteEntry`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from adapters.interface import JsonScalar, suggestion
from suites.base import Finding, Suite, SuiteOptionError, UnknownSuite

GROUP = "regionbench.suites"


Progress = Callable[[str, int, int], None]
"""Told what is being done, how many items are done, and out of how many."""


def _no_progress(step: str, done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a preparation made: where, how many items anew, how many were there already."""

    folder: Path
    made: int
    kept: int


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """What is known of a suite before its code and data are loaded.

    ``loader`` and ``checker`` are ``"module:function"``. The loader takes ``(*, cache,
    **options)`` and returns a :class:`Suite`, building its index when there is none; the checker
    takes ``(**options)`` and returns the findings of ``bench data check``. ``options`` maps each
    option's name to one line of help; path options are listed in ``path_options`` so that a
    configuration file can resolve them against its own folder. ``preparer``, where the files as
    published have to be converted first, takes ``(*, progress, **options)`` and returns a
    :class:`Prepared`. ``lower_is_better`` names the metrics of the suite's card that are not
    ``higher_is_better``.
    """

    name: str
    summary: str
    loader: str
    checker: str
    options: Mapping[str, str] = field(default_factory=dict)
    path_options: frozenset[str] = frozenset()
    source: str = ""
    licence: str = ""
    preparer: str | None = None
    lower_is_better: frozenset[str] = frozenset()

    def load(self, *, cache: Path, **options: JsonScalar) -> Suite:
        """Open the suite, building its index in ``cache`` the first time.

        Raises:
            SuiteOptionError: an unknown option or an unusable value.
            DataMissing: a file is not there.
            DataInvalid: a file is cut off or of another form.
        """
        self._refuse_unknown(options)
        return cast(Suite, _function(self.loader)(cache=cache, **options))

    def check(self, **options: JsonScalar) -> list[Finding]:
        """Look at the suite's files and say what is missing, truncated or mismatched."""
        self._refuse_unknown(options)
        return cast("list[Finding]", _function(self.checker)(**options))

    def prepare(self, *, progress: Progress = _no_progress, **options: JsonScalar) -> Prepared:
        """Convert the published files into the form the suite reads.

        What an earlier, interrupted call finished is kept.

        Args:
            progress: told what is being done, how many items are done, and out of how many.
            options: the suite's options.

        Raises:
            SuiteOptionError: an unknown option, an unusable value, or nothing to prepare.
            DataMissing: a published file is not there; says where to get it.
            DataInvalid: a published file is cut off or of another form.
        """
        self._refuse_unknown(options)
        if self.preparer is None:
            raise SuiteOptionError(
                f"suite {self.name!r} reads the published files as they are; nothing to prepare"
            )
        return cast(Prepared, _function(self.preparer)(progress=progress, **options))

    def _refuse_unknown(self, options: Mapping[str, JsonScalar]) -> None:
        for name in sorted(set(options) - set(self.options)):
            raise SuiteOptionError(
                f"suite {self.name!r} has no option {name!r}{suggestion(name, self.options)}; "
                f"it has: {', '.join(sorted(self.options)) or 'none'}"
            )


def _function(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def names() -> list[str]:
    """Names of every installed suite, sorted; nothing is imported."""
    return sorted(point.name for point in entry_points(group=GROUP))


def entry(name: str) -> SuiteEntry:
    """The suite called ``name``.

    Raises:
        UnknownSuite: no such suite (the message suggests the nearest names), or its entry
            point leads elsewhere than to a :class:`SuiteEntry`.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise UnknownSuite(
            f"no suite is called {name!r}{suggestion(name, points)} "
            f"(installed: {', '.join(sorted(points)) or 'none'})"
        )
    point = points[name]
    try:
        found: Any = point.load()
    except (ImportError, AttributeError) as error:
        raise UnknownSuite(
            f"suite {name!r} is registered as {point.value!r}, which cannot be loaded: {error}"
        ) from error
    if not isinstance(found, SuiteEntry):
        raise UnknownSuite(
            f"suite {name!r} is registered as {point.value!r}, which is not a SuiteEntry; "
            "ask its package's maintainers"
        )
    return found
