"""Which regions the sample browser shows: ordered, filtered, and sixty to a page."""

from __future__ import annotations

import pytest

from reports import paths
from tests.reports import samples
from tests.reports.browsed_samples import Site, answers, at, choose, scores, settled, site
from tests.reports.test_browser import Watched, browser, watched

__all__ = ["browser", "site", "watched"]

pytestmark = pytest.mark.browser


def test_the_worst_regions_come_first_and_sixty_at_a_time(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    regions = site.words.page.regions
    worst = regions.assign(score=regions[samples.MAIN].round(4)).sort_values(["score", "region_id"])
    assert page.locator(".card").count() == 60
    assert scores(page) == [round(100 * v, 2) for v in worst[samples.MAIN].head(60)]
    assert answers(page) == worst["text"].head(60).tolist()
    assert answers(page, 0) == worst["reference"].head(60).tolist()
    assert page.locator("#told").inner_text() == f"Regions 1–60 of {len(regions)}"
    page.locator("[data-go='1']").first.click()
    assert page.url.endswith("#page=2")
    settled(page)
    assert scores(page)[0] == round(100 * worst[samples.MAIN].iloc[60], 2)


def test_the_last_page_cannot_be_left_behind(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words), "#page=999")
    assert page.locator("[data-go='1']").first.get_attribute("aria-disabled") == "true"
    left = len(site.words.page.regions) % 60 or 60
    assert page.locator(".card").count() == left
    page.locator("[data-go='-1']").first.click()
    settled(page)
    assert page.locator(".card").count() == 60


def test_best_first_turns_the_order_round(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words), "#order=best")
    shown = scores(page)
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == 100


def test_a_category_is_found_by_some_of_its_words(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    choose(page, "category", "RED circle")
    found = answers(page, 0)
    assert found
    assert all("red circle" in reference for reference in found)
    regions = site.words.page.regions
    assert len(found) == regions["category"].str.contains("red circle").sum()
    assert "category=RED+circle" in page.url


def test_only_regions_without_a_usable_answer_are_shown(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.one), "#show=errors")
    shown = page.locator(".card dl > div:nth-child(2) em").all_inner_texts()
    assert sorted(shown) == ["empty", "errored", "missing", "unanswerable"]


def test_only_wrong_answers_are_shown(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.one), "#show=wrong")
    regions = site.one.page.regions
    wrong = (regions["status"] == "answered") & (regions[samples.MAIN] < 1)
    assert set(scores(page)) == {0.0}
    assert page.locator(".card").count() == wrong.sum()


def test_the_run_s_page_leads_to_a_pair_of_confused_classes(watched: Watched, site: Site) -> None:
    page = watched.open(site.folder / paths.run_page(site.one.row["run"]))
    row = page.locator("#confusions-table tbody tr").first
    truth, named = row.locator("th").inner_text(), row.locator("td").first.inner_text()
    count = int(row.locator("td").nth(1).inner_text())
    row.locator("a").click()
    settled(page)
    assert answers(page, 0) == [truth] * count
    assert answers(page) == [f"a {named} thing"] * count


def test_the_run_s_page_leads_to_a_category(watched: Watched, site: Site) -> None:
    page = watched.open(site.folder / paths.run_page(site.words.row["run"]))
    link = page.locator("#categories-table tbody a").first
    name = link.inner_text()
    link.click()
    settled(page)
    assert set(answers(page, 0)) == {name}


def test_the_keyboard_keeps_its_place_on_the_last_page(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    button = page.locator("[data-go='1']").first
    button.focus()
    pages = -(-len(site.words.page.regions) // 60)
    for number in range(2, pages + 1):
        page.keyboard.press("Enter")
        settled(page)
        assert page.url.endswith(f"#page={number}")
    assert button.get_attribute("aria-disabled") == "true"
    assert button.evaluate("button => button === document.activeElement")
    page.keyboard.press("Enter")
    assert page.url.endswith(f"#page={pages}")


def test_back_and_forward_go_through_what_was_seen(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    first = answers(page)
    page.locator("[data-go='1']").first.click()
    page.locator("#told", has_text="Regions 61").wait_for()
    page.go_back()
    page.locator("#told", has_text="Regions 1–").wait_for()
    settled(page)
    assert answers(page) == first


def test_the_form_is_labelled_and_works_by_keyboard(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.one))
    for label in ("Show", "Category", "Named", "Against", "Order"):
        assert page.get_by_role("combobox", name=label, exact=True).count() == 1, label
    page.get_by_role("combobox", name="Show", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.locator("#told", has_text="60 in all").wait_for()
    assert "show=wrong" in page.url
    assert page.get_by_role("listitem").count() == page.locator(".card").count()
