"""The efficiency page in a real browser, from ``file://``, with the network shut."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from reports.site import write_efficiency, write_site
from tests.reports import boards, sweeps
from tests.reports.test_browser import Watched, browser, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "watched"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two machines' speeds; returns the efficiency page."""
    costs, speeds = sweeps.demo()
    board = dataclasses.replace(boards.board([]), costs=costs, speeds=speeds)
    index = write_site(board, tmp_path_factory.mktemp("site"))
    return index.with_name("efficiency.html")


def test_the_page_opens_from_the_board_without_a_request_or_a_complaint(
    watched: Watched, page_path: Path
) -> None:
    page = watched.open(page_path.with_name("index.html"))
    page.click("nav a[href='efficiency.html']")
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == "Efficiency"
    assert page.locator(".block svg").count() == 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_its_window(
    browser: Browser, page_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shut = Watched(page)
    shut.open(page_path)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inks = page.evaluate(
        "[...document.querySelectorAll('svg [fill^=\"var(--s\"]')]"
        ".map(each => getComputedStyle(each).fill)"
    )
    assert len(set(inks)) == len(sweeps.MODELS)
    assert (shut.left, shut.said) == ([], [])
    page.close()


def test_charts_that_share_an_axis_stand_level(watched: Watched, page_path: Path) -> None:
    page = watched.open(page_path)
    for block in page.locator(".block").all():
        heights = block.locator("svg").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect().height)"
        )
        assert max(heights) - min(heights) <= 1


def test_a_curve_under_the_pointer_or_the_focus_stands_out(
    watched: Watched, page_path: Path
) -> None:
    page = watched.open(page_path)
    block = page.locator(".block").first
    row = block.locator("tbody tr", has_text="osprey-7b").first
    faded = block.locator("svg .off")
    row.hover()
    assert faded.count() > 0
    assert block.locator("svg text.off", has_text="osprey-7b").count() == 0
    page.mouse.move(0, 0)
    assert faded.count() == 0
    block.locator("svg text[tabindex]", has_text="pam-3b").first.focus()
    assert block.locator("tr.on").count() == 2
    assert block.locator("svg text.off", has_text="osprey-7b").count() > 0


def test_no_text_covers_another_or_is_cut_off(watched: Watched, tmp_path: Path) -> None:
    write_efficiency(sweeps.crowded(), tmp_path)
    charts = sorted(tmp_path.glob("efficiency/*.svg"))
    assert len(charts) == 8
    for chart in charts:
        faults = watched.open(chart).evaluate(
            """() => {
              const edge = document.documentElement.width.baseVal.value;
              const lines = [...document.querySelectorAll("text")]
                .flatMap((text) => (text.children.length ? [...text.children] : [text]))
                .map((line) => [line.textContent, line.getBoundingClientRect()]);
              const faults = lines.filter(([, box]) => box.left < 0 || box.right > edge);
              lines.forEach(([text, a], at) => {
                for (const [other, b] of lines.slice(0, at)) {
                  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                  if (across > 0 && down > 3) faults.push([text, other]);
                }
              });
              return faults.map(String);
            }"""
        )
        assert faults == []


def test_without_javascript_everything_is_there(browser: Browser, page_path: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(page_path.as_uri())
    assert page.locator(".block svg").count() == 12
    assert page.locator(".block table tbody tr:visible").count() > 40
    assert page.locator("button").count() == 0
    page.close()
