"""The board's table in a real browser: sorted, filtered, its columns chosen, and copied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reports import boards
from tests.reports.browsed_boards import BELOW, TABLE, WHOLE, copied, one_suite, site, suites, tools
from tests.reports.test_browser import Watched, browser, first_cells, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser", "one_suite", "suites", "watched"]

pytestmark = pytest.mark.browser


def header(table: str, name: str) -> str:
    return f"#{table} thead th:has(button:text-is('{name}'))"


def heads(page: Page) -> list[str]:
    """The names of the visible columns, without the arrows of sorting."""
    return page.locator(f"#{TABLE} thead th[data-sort]:visible").all_inner_texts()


def test_a_click_on_a_header_sorts_and_a_second_one_turns_it_round(
    watched: Watched, one_suite: Path
) -> None:
    page = watched.open(one_suite)
    assert first_cells(page, TABLE) == WHOLE + BELOW
    head = header(TABLE, "Semantic IoU")
    page.click(f"{head} button")
    assert page.get_attribute(head, "aria-sort") == "descending"
    assert first_cells(page, TABLE) == WHOLE + BELOW
    page.click(f"{head} button")
    assert page.get_attribute(head, "aria-sort") == "ascending"
    # Turned round, a part of a suite and an incomplete run still stand below whole suites.
    assert first_cells(page, TABLE) == WHOLE[::-1] + BELOW
    assert page.locator(f"#{TABLE} [aria-sort]").count() == 1


def test_ranks_sort_from_the_best_and_runs_without_one_stay_below(
    watched: Watched, one_suite: Path
) -> None:
    page = watched.open(one_suite)
    head = header(TABLE, "Rank")
    page.click(f"{head} button")
    assert page.get_attribute(head, "aria-sort") == "ascending"
    assert first_cells(page, TABLE) == WHOLE + BELOW
    page.click(f"{head} button")
    assert first_cells(page, TABLE)[:3] == ["tiny-sm", "tiny-mm-cascade", "tiny-mm-causal"]
    assert first_cells(page, TABLE)[3:] == BELOW


def test_sorting_works_by_keyboard_and_by_text(watched: Watched, one_suite: Path) -> None:
    page = watched.open(one_suite)
    page.focus(f"{header(TABLE, 'Model')} button")
    page.keyboard.press("Enter")
    names = first_cells(page, TABLE)
    assert names == sorted(names)


def test_parameters_sort_by_size_not_by_their_digits(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    head = f"{header(TABLE, 'Parameters')} button"
    page.click(head)
    assert first_cells(page, TABLE) == ["large", "middle", "small", "unknown"]
    page.click(head)
    assert first_cells(page, TABLE) == ["small", "middle", "large", "unknown"]


def test_filtering_keeps_the_rows_that_hold_every_word_and_tells_how_many(
    watched: Watched, one_suite: Path
) -> None:
    page = watched.open(one_suite)
    form = tools(page)
    form.locator("[type=search]").fill("tiny CASCADE")
    assert first_cells(page, TABLE) == ["tiny-mm-cascade", "tiny-mm-cascade"]
    assert form.locator("output").inner_text() == "2 of 5 runs"
    form.locator("[name=whole]").check()
    assert form.locator("output").inner_text() == "1 of 5 runs"
    form.locator("[type=search]").fill("")
    form.locator("[name=whole]").uncheck()
    assert len(first_cells(page, TABLE)) == 5
    assert form.locator("output").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ("under 1 B", ["small"]),
        ("1 to 4 B", ["middle"]),
        ("over 4 B", ["large"]),
        ("all", ["small", "middle", "large", "unknown"]),
    ],
)
def test_models_are_filtered_by_size(
    watched: Watched, suites: Path, size: str, names: list[str]
) -> None:
    page = watched.open(suites)
    tools(page).locator("[name=size]").select_option(label=size)
    assert sorted(first_cells(page, TABLE)) == sorted(names)


def test_one_suite_can_be_shown_alone(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    everything = heads(page)
    assert len(everything) == 1 + 3 * 3 + 4
    tools(page).locator("[name=suite]").select_option(label="LVIS")
    assert first_cells(page, TABLE) == ["small", "middle"]
    assert len(heads(page)) == 1 + 3 + 4
    assert page.locator(f"#{TABLE} th.group:visible").all_inner_texts()[0].startswith("LVIS")
    assert page.locator(f"#{TABLE} tbody tr:visible").first.locator("td:visible").count() == 3 + 4
    tools(page).locator("[name=suite]").select_option(label="all")
    assert heads(page) == everything


def test_one_protocol_can_be_shown_alone(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    choice = tools(page).locator("[name=protocol]")
    choice.select_option(label="osprey-v1 · all-MiniLM-L6-v2@c9745ed")
    assert first_cells(page, TABLE) == ["large"]
    assert page.locator(f"#{TABLE} th.group:visible").count() == 1
    tools(page).locator("[name=suite]").select_option(label="LVIS")
    assert first_cells(page, TABLE) == []
    assert tools(page).locator("output").inner_text() == "0 of 4 runs"


def test_published_rows_can_be_put_away(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    published = page.locator("#region-recognition-published")
    assert published.is_visible()
    tools(page).locator("[name=published]").uncheck()
    assert not published.is_visible()
    assert first_cells(page, TABLE)
    tools(page).locator("[name=published]").check()
    assert published.is_visible()


def test_columns_can_be_chosen_by_keyboard(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    menu = tools(page).locator(".menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    boxes = menu.get_by_role("checkbox")
    assert boxes.count() == len(heads(page)) - 1
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert not menu.get_by_label("LVIS: Semantic similarity").is_checked()
    names = heads(page)
    assert names.count("Semantic similarity") == 2
    group = page.locator(f"#{TABLE} th.group").first
    assert group.get_attribute("colspan") == "2"
    for name in ("LVIS: Semantic IoU", "LVIS: Answered"):
        menu.get_by_label(name).uncheck()
    assert not group.is_visible()
    page.keyboard.press("Escape")
    assert not boxes.first.is_visible()
    assert menu.locator("summary").evaluate("element => element === document.activeElement")
    # A hidden column moves no other under a wrong head.
    page.click(f"{header(TABLE, 'Parameters')} button")
    assert first_cells(page, TABLE) == ["large", "middle", "small", "unknown"]
    # Two column groups of one suite are told apart by what they are.
    assert (
        menu.get_by_label("PACO set 1 · osprey-v1 · all-MiniLM-L6-v2@c9745ed: Answered").count()
        == 1
    )


def test_a_click_elsewhere_closes_the_menu(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    page.click(".menu summary")
    assert page.locator(".menu fieldset").is_visible()
    page.click("h1")
    assert not page.locator(".menu fieldset").is_visible()


def test_the_copy_holds_the_visible_rows_and_columns_as_a_spreadsheet_takes_them(
    watched: Watched, suites: Path
) -> None:
    page = watched.open(suites)
    tools(page).locator("[name=suite]").select_option(label="LVIS")
    tools(page).locator("[name=size]").select_option(label="under 1 B")
    head, row = copied(page)
    assert tools(page).locator("output").inner_text().startswith("1 row copied")
    where = "LVIS set 1 · wowseg-v1 · all-MiniLM-L6-v2@c9745ed"
    values = dict(zip(head, row, strict=True))
    assert values["Model"] == "small"
    assert values["Model, remarks"] == "wow-seg"
    cell = page.locator(f"#{TABLE} tbody tr:visible td").first.inner_text()
    shown = [float(part.strip("[],")) for part in cell.split()]
    name = f"{where}: Semantic similarity"
    assert [float(values[name + end]) for end in ("", ", low", ", high")] == shown
    assert values["Parameters"] == "938000000"
    assert not any("PACO" in name for name in head)


def test_what_was_copied_can_be_pasted(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    tools(page).locator("[name=copy]").click()
    tools(page).get_by_text("4 rows copied").wait_for()
    page.locator("h1").evaluate("element => { element.contentEditable = 'plaintext-only'; }")
    page.locator("h1").fill("")
    page.locator("h1").press("Control+V")
    lines = page.locator("h1").inner_text().strip().split("\n")
    assert [line.split("\t")[0] for line in lines] == ["Model", *first_cells(page, TABLE)]


def test_without_permission_the_copy_goes_the_old_way(browser: Browser, suites: Path) -> None:
    page = browser.new_page()
    page.goto(suites.as_uri())
    page.evaluate(
        "navigator.clipboard.writeText = () => Promise.reject(new Error('denied'));"
        "document.addEventListener('copy', () => {"
        " window.copied = document.activeElement.value; })"
    )
    tools(page).locator("[name=copy]").click()
    page.wait_for_function("window.copied")
    assert page.evaluate("window.copied").startswith("Model\t")
    assert "4 rows copied" in tools(page).locator("output").inner_text()
    assert page.locator("textarea").count() == 0
    page.close()


def test_the_copy_runs_in_no_spreadsheet_and_keeps_its_shape(
    watched: Watched, tmp_path: Path
) -> None:
    texts = [
        "=HYPERLINK(\"http://example.invalid\",'x')",
        "+1",
        "-2+3",
        "@SUM(A1)",
        "＝1",
        "a\tb\nc",
        '"quoted',
    ]
    made = []
    for at, text in enumerate(texts):
        one = boards.run(f"m{at}", images=2, settings="")
        one.row.update(model=text, checkpoint=text, licence=text, base_model=text)
        made.append(one)
    page = watched.open(site(tmp_path, made))
    head, *rows = copied(page)
    assert {len(row) for row in rows} == {len(head)}
    models = {row[0] for row in rows}
    assert models == {
        '"\'=HYPERLINK(""http://example.invalid"",\'x\')"',
        "'+1",
        "'-2+3",
        "'@SUM(A1)",
        "'＝1",
        "a b c",
        '"""quoted"',
    }
