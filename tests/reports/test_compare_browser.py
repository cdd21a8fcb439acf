"""The comparison page in a real browser, from ``file://``, with the network shut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from reports.compare_page import write_comparison
from tests.reports import boards
from tests.reports.comparisons import demo, metric, region
from tests.reports.test_browser import Watched, browser, first_cells, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "watched"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo comparison's page."""
    return write_comparison(demo(), tmp_path_factory.mktemp("site"), "regionbench")


def header(table: str, name: str) -> str:
    return f"#{table} thead th:has(button:text-is('{name}')) button"


def test_the_page_opens_without_a_request_or_a_complaint(watched: Watched, page_path: Path) -> None:
    page = watched.open(page_path)
    assert page.locator("h1").inner_text() == "tiny-mm against tiny-sm"
    assert page.locator(".big").inner_text() == "+5.00"
    assert page.locator("svg.forest circle").count() == 3
    assert page.locator("svg.forest circle.decided").count() == 2
    assert page.locator("script").count() == 1


def test_categories_sort_by_their_difference_and_its_sign(
    watched: Watched, page_path: Path
) -> None:
    page = watched.open(page_path)
    table = "categories-table"
    unsorted = first_cells(page, table)
    page.click(header(table, "B − A"))
    fallen = first_cells(page, table)
    assert fallen == ["red lamp", "<b>bold</b>", "old chair", "tall tree", "green door", "blue cup"]
    page.click(header(table, "B − A"))
    assert first_cells(page, table) == fallen[::-1]
    page.click(header(table, "adjusted"))
    page.click(header(table, "adjusted"))
    assert first_cells(page, table)[:2] == unsorted[:2] == ["red lamp", "blue cup"]


def test_tables_are_filtered_each_by_its_own_words(watched: Watched, page_path: Path) -> None:
    page = watched.open(page_path)
    tools = page.locator(".tools[data-for=categories-table]")
    tools.locator("[type=search]").fill("worse")
    assert first_cells(page, "categories-table") == ["blue cup"]
    assert tools.locator("output").inner_text() == "1 of 6 categories"
    assert len(first_cells(page, "won-table")) == 100
    page.locator(".tools[data-for=won-table] [type=search]").fill("0107/2")
    assert first_cells(page, "won-table") == ["0107/2"]


def test_hostile_answers_are_text_and_run_nothing(watched: Watched, page_path: Path) -> None:
    page = watched.open(page_path)
    title = page.title()
    answers = page.locator("#lost-table tbody tr td:nth-of-type(3)")
    assert answers.count() == len(boards.HOSTILE)
    for at, text in enumerate(boards.HOSTILE):
        shown = answers.nth(at).locator("bdi").last.evaluate("element => element.textContent")
        kept = "".join(c for c in text[:4000] if c.isprintable())
        assert "".join(c for c in shown if c in kept) == kept, text
    assert page.locator("main :is(img, iframe, script, b)").count() == 0
    assert page.title() == title == "tiny-sm and tiny-mm on shapes · regionbench"


def test_commands_in_messages_are_code_and_nothing_else_is(
    watched: Watched, tmp_path: Path
) -> None:
    said = "`bench run` <b>red</b>"
    compared = demo(
        notes=(
            "a <i> was scored before; `bench score a<i>` keeps them, `bench run` too",
            "different prompts: 'in `json`' and '`'",
        ),
        metrics=(metric("semantic_similarity", None, note="no pair; `bench score` both"),),
        speeds=(),
        speed_note="no speed was measured; `bench efficiency` does that",
    )
    assert compared.regions is not None
    lost = (region(1, -0.5, said),)
    compared = replace(compared, regions=replace(compared.regions, lost=lost))
    page = watched.open(write_comparison(compared, tmp_path, "regionbench"))
    first, second = page.locator(".notes li").all()
    assert first.locator("code").all_inner_texts() == ["bench score a<i>", "bench run"]
    assert (
        first.inner_text() == "a <i> was scored before; bench score a<i> keeps them, bench run too"
    )
    assert second.inner_text() == "different prompts: 'in `json`' and '`'"
    assert page.locator("#speed .empty code").inner_text() == "bench efficiency"
    assert page.locator("#metrics code").all_inner_texts() == ["bench score"] * 2
    assert page.locator("#lost-table td", has_text="bench run").first.inner_text() == said
    assert page.locator("#lost-table code, main i, main td b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window(
    browser: Browser, page_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shut = Watched(page)
    shut.open(page_path)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (shut.left, shut.said) == ([], [])
    page.close()


def test_without_javascript_the_page_is_complete(browser: Browser, page_path: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(page_path.as_uri())
    assert len(first_cells(page, "categories-table")) == 6
    assert page.locator("button, input:visible").count() == 0
    page.close()
