"""What a card of the sample browser shows: the picture, its outline and the answers."""

from __future__ import annotations

import re

import pytest

from tests.reports import boards
from tests.reports.browsed_samples import HOSTILE_ID, Site, answers, at, choose, site
from tests.reports.test_browser import Watched, browser, watched

__all__ = ["browser", "site", "watched"]

pytestmark = pytest.mark.browser


def test_the_keyboard_keeps_its_place_where_a_text_unfolds(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.hostile), "#category=xxxxxxxxx")
    page.locator(".card .more").nth(1).focus()
    page.keyboard.press("Enter")
    text = page.locator(".card bdi").nth(1)
    assert text.evaluate("text => text === document.activeElement")
    assert text.evaluate("text => text.tabIndex") == 0


def test_a_region_is_outlined_on_its_picture_and_can_be_come_closer_to(
    watched: Watched, site: Site
) -> None:
    page = at(watched, site.path(site.one))
    shot = page.locator(".card .shot").first
    shot.wait_for()
    image = shot.locator("image")
    assert image.get_attribute("href").endswith(".jpg")  # type: ignore[union-attr]
    assert (
        page.evaluate(
            "href => new Promise(done => { const image = new Image();"
            " image.onload = () => done(image.naturalWidth); image.onerror = () => done(0);"
            " image.src = href; })",
            image.get_attribute("href"),
        )
        == 160
    )
    box = shot.locator(".line").bounding_box()
    assert box is not None
    assert box["width"] > 10
    shot.focus()
    page.keyboard.press("Enter")
    assert shot.get_attribute("aria-pressed") == "true"
    close = shot.locator(".line").bounding_box()
    assert close is not None
    assert close["width"] > 1.5 * box["width"]


def test_left_out_pictures_leave_outlines_and_say_so(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    page.locator(".card .shot").first.wait_for()
    assert page.locator("#cards image").count() == 0
    assert page.locator(".shot .line").count() == 60
    assert page.locator("#licence").inner_text() == "Pictures: CC BY 4.0. Pictures are left out."


def test_hostile_answers_names_and_ids_are_text_and_run_nothing(
    watched: Watched, site: Site
) -> None:
    page = at(watched, site.path(site.hostile))
    title = page.title()
    assert page.locator(".card").count() == len(site.hostile.page.regions)
    while page.locator(".more").count():
        page.locator(".more").first.click()
    for line in (0, 1):
        shown = page.locator(f".card dl > div:nth-child({line + 1}) dd > bdi")
        for number, text in enumerate(boards.HOSTILE):
            found = shown.nth(number).evaluate("element => element.textContent")
            assert _shown(found) == _shown(text)[:4000], text
    assert page.locator("#cards :is(img, script, iframe, a, svg)").count() == 0
    assert HOSTILE_ID in page.locator(".card").first.inner_text()
    assert page.title() == title
    choose(page, "category", boards.HOSTILE[0])
    assert answers(page, 0) == [boards.HOSTILE[0]]


def test_a_long_answer_is_cut_and_shown_on_demand_inside_its_card(
    watched: Watched, site: Site
) -> None:
    page = at(watched, site.path(site.hostile), "#category=xxxxxxxxx")
    card = page.locator(".card").first
    assert card.locator("bdi").nth(1).inner_text() == "x" * 140 + "…"
    card.locator(".more").nth(1).click()
    assert len(card.locator("bdi").nth(1).inner_text()) == 4000
    assert "96,000 more characters in the CSV" in card.inner_text()
    box = card.bounding_box()
    assert box is not None
    assert box["height"] < 900


def _shown(text: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2400-\u2421\ufffd]", "?", text)
