"""The pages in a real browser, from ``file://``, with the network shut."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports import paths
from tests.reports import boards

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

CHROMIUM = Path(os.environ.get("REGIONBENCH_CHROMIUM", "/usr/bin/chromium"))
REQUIRED = os.environ.get("REGIONBENCH_REQUIRE_BROWSER") == "1"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUN_ID = "20260601T120000-5f3a"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        reason = f"no Chromium at {CHROMIUM}: apt-get install chromium, or set REGIONBENCH_CHROMIUM"
        if REQUIRED:
            pytest.fail(f"{reason} (REGIONBENCH_REQUIRE_BROWSER=1 forbids the skip)")
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


class Watched:
    """A page that notes every request beyond files and everything on its console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.left: list[str] = []
        self.said: list[str] = []
        # A busy machine is slow, not wrong.
        page.set_default_timeout(120_000)
        page.context.set_offline(True)
        page.route(lambda url: not url.startswith("file:"), self._refuse)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(f"dialog: {dialog.message}"))

    def _refuse(self, route: Route) -> None:
        if not route.request.url.startswith("data:"):
            self.left.append(route.request.url)
        route.abort()

    def open(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    watched = Watched(page)
    yield watched
    page.close()
    assert (watched.left, watched.said) == ([], [])


def first_cells(page: Page, table: str) -> list[str]:
    heads = page.locator(f"#{table} tbody tr:visible th").all_inner_texts()
    return [head.split("\n")[0] for head in heads]


def test_the_watch_notices_a_page_that_does_reach_out(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<img src='http://example.invalid/x.png'><script>undefinedName</script>")
    watched = Watched(browser.new_page())
    watched.open(page).wait_for_load_state("networkidle")
    assert watched.left == ["http://example.invalid/x.png"]
    assert any("undefinedName" in said for said in watched.said)
    watched.page.close()


def test_every_page_opens_offline_without_a_request_or_a_complaint(
    watched: Watched, demo_site: Path
) -> None:
    opened = sorted(demo_site.parent.rglob("*.html"))
    for path in opened:
        assert watched.open(path).locator("h1").inner_text()
    assert {"index.html", "region-recognition.html", "segmentation.html"} <= {
        path.name for path in opened
    }
    assert len([path for path in opened if path.name == f"{RUN_ID}.html"]) == 9


def test_the_run_page_s_categories_can_be_searched(watched: Watched, demo_site: Path) -> None:
    page = watched.open(demo_site.parent / paths.run_page(f"shapes/tiny-sm/{RUN_ID}"))
    page.locator(".tools[data-for=categories-table] [type=search]").fill("small red")
    found = first_cells(page, "categories-table")
    assert found
    assert all("small red" in category for category in found)


def test_hostile_answers_are_text_and_run_nothing(watched: Watched, demo_site: Path) -> None:
    page = watched.open(demo_site.parent / paths.run_page(f"shapes/hostile/{RUN_ID}"))
    title = page.title()
    answers = page.locator("#answers-table tbody tr td:nth-of-type(2)")
    for at, text in enumerate(boards.HOSTILE):
        shown = answers.nth(at).locator("bdi").last.evaluate("element => element.textContent")
        assert _without_controls(shown) == _without_controls(text)[:4000], text
    assert page.locator("#answers-table :is(img, script, svg, iframe)").count() == 0
    assert page.locator("script").count() == 1
    assert page.title() == title == "hostile on shapes · Region recognition"


def test_a_right_to_left_answer_leaves_the_text_around_it_alone(
    watched: Watched, demo_site: Path
) -> None:
    page = watched.open(demo_site.parent / paths.run_page(f"shapes/hostile/{RUN_ID}"))
    row = page.locator("#answers-table tbody tr").nth(boards.HOSTILE.index(_overridden()))
    assert (
        row.locator("td")
        .nth(1)
        .locator("bdi")
        .evaluate("element => getComputedStyle(element).unicodeBidi")
        .startswith("isolate")
    )
    assert row.locator("td").nth(2).inner_text() == "answered"


def test_an_answer_of_100000_characters_stays_in_its_cell(
    watched: Watched, demo_site: Path
) -> None:
    page = watched.open(demo_site.parent / paths.run_page(f"shapes/hostile/{RUN_ID}"))
    cell = page.locator("#answers-table td:has(details)", has_text="xxxx").first
    cell.locator("summary").click()
    assert "96,000 more characters in the JSON" in cell.inner_text()
    box = cell.bounding_box()
    assert box is not None
    assert box["width"] < 500
    assert box["height"] < 600


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_its_window(browser: Browser, demo_site: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for path in sorted(demo_site.parent.rglob("*.html")):
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
    page.close()


def _overridden() -> str:
    return next(text for text in boards.HOSTILE if text.startswith("\u202e"))


def _without_controls(text: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2400-\u2421\ufffd]", "?", text)
