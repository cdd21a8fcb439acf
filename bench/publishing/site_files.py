"""Which files of the site's folder are published."""

from __future__ import annotations

from pathlib import Path

from bench.errors import PublishError
from reports import paths
from reports.listing import NAME, noted, read_listing

_DOMAIN = "CNAME"
"""GitHub Pages reads the site's own domain in it; somebody put it there by hand."""


def published_files(site: Path) -> list[str]:
    """Paths of what its listing names, of the listing, and of a ``CNAME`` where there is one.

    Raises:
        PublishError: there is no listing of a site, one of its files is no file of this folder, or
            the last build did not end.
    """
    if noted(site):
        raise PublishError(
            f"the last build of the site in {site} did not end; `bench report` finishes it"
        )
    listed = [*read_listing(site).files, NAME]
    if paths.INDEX not in listed:
        raise PublishError(
            f"nothing says which files of {site} are the site's: {NAME} there is missing or "
            "damaged; `bench report` writes it"
        )
    lacking = [path for path in listed if not _lies_in(site, path)]
    if lacking:
        raise PublishError(
            f"the site in {site} is not whole: {len(lacking):,} of its files are missing or links, "
            f"such as {sorted(lacking)[0]!r}; `bench report` makes them again"
        )
    return [*listed, _DOMAIN] if _lies_in(site, _DOMAIN) else listed


def _lies_in(site: Path, path: str) -> bool:
    """Whether it is a file of this folder; one behind a link may be anybody's."""
    place = site / path
    return "\n" not in path and place.is_file() and place.resolve() == site.resolve() / path
