"""The board's pages in a real browser, from ``file://``, with the network shut."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from reports import published
from reports.site import write_site
from tests.reports import boards
from tests.reports.test_browser import Watched, browser, first_cells, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

__all__ = ["browser", "watched"]

pytestmark = pytest.mark.browser

TABLE = "region-recognition-runs"
WHOLE = ["tiny-mm-cascade", "tiny-mm-causal", "tiny-sm"]
BELOW = ["tiny-mm-cascade", "tiny-broken"]


def site(folder: Path, made: list[boards.Made]) -> Path:
    """A site without run pages; returns the page of region recognition."""
    board = boards.board(made, published=published.load())
    index = write_site(dataclasses.replace(board, pages=()), folder)
    return index.with_name("region-recognition.html")


@pytest.fixture(scope="module")
def one_suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo runs on one suite, the whole ones ranked."""
    made = boards.demo()
    for one, rank in zip(made, (3, 1, 1), strict=False):
        one.row.update(rank=rank, ranked=3)
    return site(tmp_path_factory.mktemp("one"), made)


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of three sizes and of unknown size on two suites, one under another protocol."""
    made = [
        boards.run("small", suite="lvis", skill=0.9, images=9, parameters=938_000_000),
        boards.run("small", suite="paco", skill=0.8, images=9, parameters=938_000_000),
        boards.run("middle", suite="lvis", skill=0.8, images=9, parameters=4_000_000_000),
        boards.run("large", suite="paco", skill=0.7, images=9, parameters=7_000_000_000),
        boards.run("unknown", suite="paco", skill=0.6, images=9),
    ]
    made[3].row["protocol"] = boards.PROTOCOLS[1]
    made[4].row["parameters"] = None
    return site(tmp_path_factory.mktemp("suites"), made)


def header(table: str, name: str) -> str:
    return f"#{table} thead th:has(button:text-is('{name}'))"


def tools(page: Page) -> Locator:
    return page.locator(f".tools[data-for={TABLE}]")


def heads(page: Page) -> list[str]:
    """The names of the visible columns, without the arrows of sorting."""
    return page.locator(f"#{TABLE} thead th[data-sort]:visible").all_inner_texts()


def copied(page: Page) -> list[list[str]]:
    """The cells that the page's button copies."""
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    tools(page).locator("[name=copy]").click()
    text: str = page.evaluate("window.copied")
    return [line.split("\t") for line in text.split("\n")]


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


def test_hostile_names_settings_and_checkpoints_are_text(watched: Watched, tmp_path: Path) -> None:
    made = []
    for at, hostile in enumerate(boards.HOSTILE):
        text = hostile.encode("utf-8", "replace").decode()
        one = boards.run(f"m{at}", images=2, settings=text[:500])
        one.row.update(model=text[:500], checkpoint=text, licence=text, base_model=text)
        one.row.update(suite_version=text[:300], encoder=text[:300])
        made.append(one)
    path = site(tmp_path, made)
    for name in ("index.html", path.name):
        page = watched.open(path.with_name(name))
        table = "region-recognition-best" if name == "index.html" else TABLE
        assert page.locator(f"#{table} :is(img, script, iframe, svg)").count() == 0
        assert page.locator("script").count() == 1
        assert "owned" not in page.title()
        assert "<img src=x onerror" in page.locator(f"#{table}").inner_text()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            tallest = page.evaluate(
                "Math.max(...[...document.querySelectorAll('tbody tr')]"
                ".map(row => row.getBoundingClientRect().height))"
            )
            assert tallest < 300
    copied(page)


def test_without_javascript_the_board_is_complete_and_has_no_dead_controls(
    browser: Browser, one_suite: Path
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(one_suite.as_uri())
    assert first_cells(page, TABLE) == WHOLE + BELOW
    assert page.locator("button:visible, input:visible, select:visible").count() == 0
    assert page.locator(".menu:visible").count() == 0
    page.close()


def test_a_line_of_the_front_page_is_one_line_of_text(watched: Watched, one_suite: Path) -> None:
    page = watched.open(one_suite.with_name("index.html"))
    rows = page.locator("#region-recognition-best tbody tr")
    heights = rows.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
    assert len(heights) == 5
    assert max(heights) < 36
    shown = rows.first.locator(".range")
    bar, numbers = shown.locator("i").bounding_box(), shown.locator("small").bounding_box()
    assert bar is not None
    assert numbers is not None
    assert bar["x"] + bar["width"] < numbers["x"]
    assert numbers["y"] < bar["y"] + bar["height"]


def test_the_ends_of_the_scale_stand_above_the_drawn_intervals(
    watched: Watched, one_suite: Path
) -> None:
    page = watched.open(one_suite.with_name("index.html"))
    table = page.locator("#region-recognition-best")
    ends, bar = table.locator(".ends").bounding_box(), table.locator("td i").first.bounding_box()
    assert ends is not None
    assert bar is not None
    assert ends["x"] == pytest.approx(bar["x"], abs=1)
    assert ends["width"] == pytest.approx(bar["width"], abs=1)


@pytest.mark.parametrize("media", ["screen", "print"])
def test_long_settings_are_not_cut_under_the_pointer_nor_on_paper(
    watched: Watched, tmp_path: Path, media: Literal["screen", "print"]
) -> None:
    made = [
        boards.run(f"m{at}", images=2, settings=", ".join(f"setting_{n}={at}" for n in range(30)))
        for at in range(2)
    ]
    page = watched.open(site(tmp_path, made))
    page.emulate_media(media=media)
    told = page.locator(f"#{TABLE} tbody th small").first
    cut = "element => element.scrollHeight > element.clientHeight + 1"
    if media == "screen":
        assert told.evaluate(cut)
        told.hover()
    assert not told.evaluate(cut)
    assert told.bounding_box()["height"] > 60  # type: ignore[index]


def test_the_front_page_leads_to_the_family_s_page(watched: Watched, one_suite: Path) -> None:
    page = watched.open(one_suite.with_name("index.html"))
    names = page.locator("#region-recognition-best tbody th bdi").all_inner_texts()
    assert names == WHOLE + BELOW
    page.get_by_role("heading", name="Region recognition").get_by_role("link").click()
    page.wait_for_load_state()
    assert page.url == one_suite.as_uri()


def test_the_certificate_s_remark_is_read_aloud_and_shown_under_the_pointer(
    watched: Watched, one_suite: Path
) -> None:
    page = watched.open(one_suite)
    cell = page.locator(f"#{TABLE} tbody tr").first.locator("td.certified")
    remark = cell.locator("small")
    assert "worst difference" in cell.inner_text()
    hidden = remark.bounding_box()
    assert hidden is not None
    assert hidden["width"] <= 1
    cell.hover()
    shown = remark.bounding_box()
    assert shown is not None
    assert shown["width"] > 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_no_page_of_the_board_is_wider_than_its_window(
    browser: Browser, suites: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shut = Watched(page)
    for name in ("index", "region-recognition", "segmentation", "mask-classification"):
        shut.open(suites.with_name(f"{name}.html"))
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (shut.left, shut.said) == ([], [])
    page.close()


def test_three_ranked_suites_fit_a_desktop_s_front_page(watched: Watched, tmp_path: Path) -> None:
    made = [boards.run("wow-seg-1b", suite=suite, images=9) for suite in ("lvis", "paco", "rr7k")]
    for one in made:
        one.row.update(rank=1, ranked=1)
    page = watched.open(site(tmp_path, made).with_name("index.html"))
    box = page.locator(".scroll:has(.front)")
    assert box.get_by_text("1 of 1").count() == len(made)
    assert box.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_head_and_models_stay_in_sight_when_a_phone_scrolls(browser: Browser, suites: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 320})
    page.goto(suites.as_uri())
    box = page.locator(f".scroll:has(#{TABLE})")
    box.evaluate("element => { element.scrollLeft = 300; element.scrollTop = 60; }")
    assert box.evaluate("element => element.scrollLeft") > 100
    cell = page.locator(f"#{TABLE} tbody th").first.bounding_box()
    head = page.locator(f"#{TABLE} thead th").first.bounding_box()
    around = box.bounding_box()
    assert cell is not None
    assert head is not None
    assert around is not None
    assert cell["x"] == pytest.approx(around["x"], abs=1)
    assert head["y"] == pytest.approx(around["y"], abs=1)
    page.close()


def test_dark_and_light_differ_and_charts_follow(browser: Browser, one_suite: Path) -> None:
    colors = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(one_suite.as_uri())
        colors[scheme] = page.evaluate(
            "[getComputedStyle(document.documentElement).backgroundColor,"
            " getComputedStyle(document.querySelector('svg text[fill=\"var(--ink)\"]')).fill]"
        )
        page.close()
    assert colors["light"] == ["rgb(253, 253, 251)", "rgb(28, 28, 26)"]
    assert colors["dark"] == ["rgb(21, 23, 26)", "rgb(232, 230, 225)"]


def test_print_shows_whole_tables_and_no_controls(browser: Browser, one_suite: Path) -> None:
    page = browser.new_page()
    for name in ("index.html", one_suite.name):
        page.goto(one_suite.with_name(name).as_uri())
        page.emulate_media(media="print")
        assert page.locator(".tools:visible, nav:visible").count() == 0
        clipped = page.evaluate(
            "[...document.querySelectorAll('.scroll')]"
            ".filter(box => getComputedStyle(box).overflow !== 'visible').length"
        )
        assert clipped == 0
    page.close()


def test_focus_is_seen_wherever_the_keyboard_goes(watched: Watched, suites: Path) -> None:
    page = watched.open(suites)
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        kind, outline = page.evaluate(
            "[document.activeElement.localName,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert outline != "none", kind
        seen.add(kind)
    assert {"a", "input", "select", "summary", "button"} <= seen
