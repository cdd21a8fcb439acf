"""Comparisons in a site that is built again: kept and linked while they hold."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.compare_page import write_comparison
from reports.site import write_site
from tests.reports import comparisons, pages
from tests.reports.builds import board, built, three
from tests.reports.test_site import files

__all__ = ["built"]


def compare(site: Path, first: str, second: str) -> Path:
    """Write the comparison of two of the board's runs as they are."""
    sides = (
        dataclasses.replace(comparisons.side(name), digest=f"digest of {name}")
        for name in (first, second)
    )
    return write_comparison(comparisons.demo(**dict(zip(SIDES, sides, strict=True))), site, "Board")


SIDES = ("first", "second")


def test_comparisons_stay_while_both_runs_are_what_was_compared(tmp_path: Path) -> None:
    write_site(board(three()), tmp_path)
    page, other = compare(tmp_path, "a", "b"), compare(tmp_path, "a", "c")
    (tmp_path / "compare/mine.html").write_text("mine")
    before = {path.name: path.read_bytes() for path in page.parent.glob(f"{page.stem}.*")}
    assert len(before) == 6
    write_site(board(three()[:2]), tmp_path)
    left = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    assert left == {**before, "mine.html": b"mine"}
    assert not other.exists()


@pytest.mark.parametrize("change", ["gone", "changed", "unknown", "without digests", "damaged"])
def test_a_comparison_that_holds_no_more_is_removed_whole(tmp_path: Path, change: str) -> None:
    write_site(board(three()), tmp_path)
    page = compare(tmp_path, "a", "b")
    later = board(three())
    if change == "gone":
        later = board(three()[:1])
    elif change in ("changed", "unknown"):
        digest = "" if change == "unknown" else "scored anew"
        source = dataclasses.replace(later.pages[1], digest=digest)
        later = dataclasses.replace(later, pages=(later.pages[0], source, later.pages[2]))
    else:
        (kept,) = page.parent.glob("*.runs.json")
        kept.unlink() if change == "without digests" else kept.write_text('{"first": []}')
    write_site(later, tmp_path)
    assert not page.parent.exists()
    write_site(later, tmp_path / "whole")
    assert files(tmp_path / "whole").items() <= files(tmp_path).items()


def test_runs_link_the_comparisons_that_stay(
    tmp_path: Path, built: Callable[[], list[str]]
) -> None:
    site = tmp_path / "grown"
    write_site(board(three()), site)
    built()
    page = compare(site, "a", "b")
    write_site(board(three()), site)
    assert built() == ["a", "b"]
    for model in ("a", "b", "c"):
        run = site / f"runs/shapes/{model}/20260601T120000-5f3a.html"
        links = [a.get("href", "") for _, a in pages.tags(run)]
        assert (f"../../../compare/{page.name}" in links) == (model != "c")
    write_site(board(three()), site)
    assert built() == []
    shutil.copytree(site, tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole/runs")
    write_site(board(three()), tmp_path / "whole")
    assert files(tmp_path / "whole") == files(site)
    write_site(board([three()[0], three()[2]]), site)
    built()
    write_site(board([three()[0], three()[2]]), tmp_path / "never")
    assert files(site) == files(tmp_path / "never")
