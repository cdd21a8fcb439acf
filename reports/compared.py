"""Comparisons that lie in the site: which of them still hold, for the pages of their runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reports.writing import SiteWriter

FOLDER = "compare"
RUNS_SUFFIX = ".runs.json"
"""Of a small file beside the page: which runs were compared, and what they were then."""


class ComparedRun(NamedTuple):
    """One side of a comparison: the run, and the digest of what it was when it was compared."""

    run: str
    digest: str


class Compared(NamedTuple):
    """A comparison's page; differences on it are second minus first."""

    page: str
    first: ComparedRun
    second: ComparedRun

    @property
    def sides(self) -> tuple[ComparedRun, ComparedRun]:
        """Both runs."""
        return self.first, self.second


def leave_standing(site: SiteWriter, digests: Mapping[str, str]) -> list[Compared]:
    """Keep the comparisons of runs that still are what was compared; the others will be removed.

    Args:
        site: whose folder holds them.
        digests: of every run's page source; a run without one cannot be known to be the same.

    Returns:
        Those kept, by their pages' paths.
    """
    found = []
    listed = site.below(f"{FOLDER}/")
    for compared in _stored(site.folder, listed):
        if all(one.digest and digests.get(one.run) == one.digest for one in compared.sides):
            stem = compared.page.removesuffix("html")
            site.leave(path for path in listed if path.startswith(stem))
            found.append(compared)
    return found


def of_run(comparisons: Sequence[Compared], run: str) -> tuple[Compared, ...]:
    """Those that the run is a side of."""
    return tuple(one for one in comparisons if run in (side.run for side in one.sides))


def _stored(folder: Path, listed: Sequence[str]) -> Iterator[Compared]:
    for path in listed:
        page = f"{path.removesuffix(RUNS_SUFFIX)}.html"
        if path.endswith(RUNS_SUFFIX) and page in listed and (folder / page).is_file():
            try:
                values = json.loads((folder / path).read_text(encoding="utf-8"))
                first, second = (_side(values[name]) for name in ("first", "second"))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            yield Compared(page, first, second)


def _side(values: Mapping[str, object]) -> ComparedRun:
    return ComparedRun(str(values["run"]), str(values["digest"]))
