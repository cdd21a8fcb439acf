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


def header(page: Page, table: str, name: str) -> str:
    return f"#{table} thead th:has(button:text-is('{name}'))"


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
    assert len(opened) == 10


def test_a_click_on_a_header_sorts_and_a_second_one_turns_it_round(
    watched: Watched, demo_site: Path
) -> None:
    page = watched.open(demo_site)
    table = "suite-shapes-runs"
    whole = ["tiny-mm-cascade", "tiny-mm-causal", "tiny-sm", "hostile"]
    assert first_cells(page, table) == [*whole, "tiny-mm-cascade", "tiny-broken"]
    head = header(page, table, "Semantic IoU")
    page.click(f"{head} button")
    assert page.get_attribute(head, "aria-sort") == "descending"
    assert first_cells(page, table) == [*whole, "tiny-mm-cascade", "tiny-broken"]
    page.click(f"{head} button")
    assert page.get_attribute(head, "aria-sort") == "ascending"
    # Turned round, a part of a suite and an incomplete run still stand below whole suites.
    assert first_cells(page, table) == [*whole[::-1], "tiny-mm-cascade", "tiny-broken"]
    assert page.locator(f"#{table} [aria-sort]").count() == 1


def test_sorting_works_by_keyboard_and_by_text(watched: Watched, demo_site: Path) -> None:
    page = watched.open(demo_site)
    table = "suite-shapes-runs"
    page.focus(f"{header(page, table, 'Model')} button")
    page.keyboard.press("Enter")
    names = first_cells(page, table)
    assert names == sorted(names)


def test_parameters_sort_by_size_not_by_their_digits(watched: Watched, demo_site: Path) -> None:
    page = watched.open(demo_site)
    table = "region-recognition-runs"
    head = f"{header(page, table, 'Parameters')} button"
    page.click(head)
    assert first_cells(page, table) == ["pam-3b", "wow-seg-1b"]
    page.click(head)
    assert first_cells(page, table) == ["wow-seg-1b", "pam-3b"]


def test_filtering_keeps_the_rows_that_hold_every_word_and_tells_how_many(
    watched: Watched, demo_site: Path
) -> None:
    page = watched.open(demo_site)
    tools = page.locator(".tools[data-for=suite-shapes-runs]")
    tools.locator("[type=search]").fill("tiny CASCADE")
    assert first_cells(page, "suite-shapes-runs") == ["tiny-mm-cascade", "tiny-mm-cascade"]
    assert tools.locator("output").inner_text() == "2 of 6 runs"
    tools.locator("[type=checkbox]").check()
    assert tools.locator("output").inner_text() == "1 of 6 runs"
    tools.locator("[type=search]").fill("")
    tools.locator("[type=checkbox]").uncheck()
    assert len(first_cells(page, "suite-shapes-runs")) == 6


def test_the_run_page_s_categories_can_be_searched(watched: Watched, demo_site: Path) -> None:
    page = watched.open(demo_site.parent / paths.run_page(f"shapes/tiny-sm/{RUN_ID}"))
    page.locator(".tools[data-for=categories-table] [type=search]").fill("small red")
    found = first_cells(page, "categories-table")
    assert found
    assert all("small red" in category for category in found)


def test_without_javascript_the_board_is_complete_and_has_no_dead_controls(
    browser: Browser, demo_site: Path
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(demo_site.as_uri())
    assert len(first_cells(page, "suite-shapes-runs")) == 6
    assert page.locator("button, input:visible").count() == 0
    page.close()


def test_the_certificate_s_remark_is_read_aloud_and_shown_under_the_pointer(
    watched: Watched, demo_site: Path
) -> None:
    page = watched.open(demo_site)
    cell = page.locator("#suite-shapes-runs tbody tr").first.locator("td.certified")
    remark = cell.locator("small")
    assert "worst difference" in cell.inner_text()
    hidden = remark.bounding_box()
    assert hidden is not None
    assert hidden["width"] <= 1
    cell.hover()
    shown = remark.bounding_box()
    assert shown is not None
    assert shown["width"] > 200
    assert page.locator(".scroll:has(#suite-shapes-runs)").evaluate(
        "box => box.scrollWidth <= box.clientWidth"
    )


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


def test_the_model_s_column_stays_in_sight_when_a_phone_scrolls(
    browser: Browser, demo_site: Path
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(demo_site.as_uri())
    box = page.locator(".scroll:has(#suite-shapes-runs)")
    box.evaluate("element => element.scrollLeft = 300")
    assert box.evaluate("element => element.scrollLeft") > 100
    cell = page.locator("#suite-shapes-runs tbody th").first.bounding_box()
    around = box.bounding_box()
    assert cell is not None
    assert around is not None
    assert cell["x"] == pytest.approx(around["x"], abs=1)
    page.close()


def test_dark_and_light_differ_and_charts_follow(browser: Browser, demo_site: Path) -> None:
    colors = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(demo_site.as_uri())
        colors[scheme] = page.evaluate(
            "[getComputedStyle(document.documentElement).backgroundColor,"
            " getComputedStyle(document.querySelector('svg text[fill=\"var(--ink)\"]')).fill]"
        )
        page.close()
    assert colors["light"] == ["rgb(253, 253, 251)", "rgb(28, 28, 26)"]
    assert colors["dark"] == ["rgb(21, 23, 26)", "rgb(232, 230, 225)"]


def test_print_shows_whole_tables_and_no_controls(browser: Browser, demo_site: Path) -> None:
    page = browser.new_page()
    page.goto(demo_site.as_uri())
    page.emulate_media(media="print")
    assert page.locator(".tools:visible, nav:visible").count() == 0
    clipped = page.evaluate(
        "[...document.querySelectorAll('.scroll')]"
        ".filter(box => getComputedStyle(box).overflow !== 'visible').length"
    )
    assert clipped == 0
    page.close()


def _overridden() -> str:
    return next(text for text in boards.HOSTILE if text.startswith("\u202e"))


def _without_controls(text: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2400-\u2421\ufffd]", "?", text)
