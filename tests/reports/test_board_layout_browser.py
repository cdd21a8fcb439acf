"""How the board's pages look in a real browser: windows, paper, colours, hostile names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.reports import boards
from tests.reports.browsed_boards import BELOW, TABLE, WHOLE, copied, one_suite, site, suites
from tests.reports.test_browser import Watched, browser, first_cells, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "one_suite", "suites", "watched"]

pytestmark = pytest.mark.browser


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
    names = page.locator("#region-recognition-best tbody th > span bdi").all_inner_texts()
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
