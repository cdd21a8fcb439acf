"""A board's site of given runs, and the lines of its reproduced scores."""

from __future__ import annotations

from pathlib import Path

from reports.site import write_site
from tests.reports import boards, pages

RECOGNITION = "region-recognition"


def write(tmp_path: Path, made: list[boards.Made], **options: object) -> Path:
    """A site with these runs; returns the page of region recognition."""
    index = write_site(boards.board(made, **options), tmp_path)  # type: ignore[arg-type]
    return index.with_name(f"{RECOGNITION}.html")


def reproduced(page: Path) -> list[list[str]]:
    return pages.tables(page)[f"{page.stem}-runs"].rows
