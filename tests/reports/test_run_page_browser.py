"""A run's page in a real browser: bars beside their numbers, ids in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports import paths
from reports.site import write_site
from tests.reports import boards
from tests.reports.test_browser import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser

_BARS = """
cells => cells.map(cell => {
  const bar = getComputedStyle(cell, "::before"), box = cell.getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(cell);
  const text = range.getBoundingClientRect(), y = box.top + parseFloat(bar.top);
  return {
    text: cell.textContent,
    width: parseFloat(bar.width),
    gap: text.left - (box.left + parseFloat(bar.left) + parseFloat(bar.width)),
    level: text.top < y && y < text.bottom,
  };
})
"""


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose region ids have slashes, one of them a very long piece."""
    made = boards.run("m", images=60, skill=0.9)
    regions = made.page.regions
    for name in ("region_id", "image_id"):
        regions[name] = [f"validation-{old.replace(':', '/00000')}" for old in regions[name]]
    lowest = regions["semantic_similarity/wowseg-v1"].idxmin()
    regions.loc[lowest, "region_id"] = "x" * 300
    folder = tmp_path_factory.mktemp("site")
    write_site(boards.board([made]), folder)
    return folder / paths.run_page(made.row["run"])


@pytest.mark.parametrize("width", [400, 1280])
def test_a_category_s_bar_ends_before_its_number_and_stands_level_with_it(
    browser: Browser, page_path: Path, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(page_path.as_uri())
    bars = page.locator("#categories-table td.bar").evaluate_all(_BARS)
    assert "100.00" in {bar["text"] for bar in bars}
    assert all(bar["gap"] >= 4 and bar["width"] >= 20 and bar["level"] for bar in bars)
    page.close()


@pytest.mark.parametrize("width", [400, 1280])
def test_a_region_s_id_is_broken_at_its_slash_only(
    browser: Browser, page_path: Path, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(page_path.as_uri())
    ids = page.locator("#answers-table tbody th > bdi")
    pieces = ids.nth(1).locator("span")
    told = pieces.all_inner_texts()
    assert [len(piece) for piece in told] == [len("validation-00000/"), len("000000")]
    assert ids.nth(1).evaluate("element => element.textContent") == "".join(told)
    lines = ids.locator("span").evaluate_all("all => all.map(one => one.getClientRects().length)")
    assert set(lines) == {1}
    long = ids.first.bounding_box()
    assert long is not None
    assert long["width"] < 300
    page.close()
