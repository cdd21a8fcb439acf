"""The sample browser in a real browser, from ``file://`` and below a URL prefix."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest

from reports import paths, samples_page
from reports.records import runs_of
from reports.site import write_site
from reports.suite_files import suite_scripts
from tests.reports import boards, samples
from tests.reports.test_browser import Watched, browser, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser", "watched"]

pytestmark = pytest.mark.browser

LVIS_REGIONS = 244_707
HOSTILE_ID = 'r</script><img src=x onerror="document.title=1">'


class Site:
    """A written site and the runs it shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.one = samples.classed("one")
        self.two = samples.classed("two", seed=1, right=0.5)
        self.words = boards.run("words", images=60, skill=0.5)
        self.hostile = _hostile()
        made = [self.one, self.two, self.words, self.hostile]
        sources = (
            samples.pictures(self.one),
            samples.pictures(self.words, shown=False, note="Pictures are left out."),
        )
        write_site(samples.board(made, *sources), folder)

    def path(self, made: boards.Made) -> Path:
        return self.folder / f"{paths.run_stem(made.row['run'])}.samples.html"


def _hostile() -> boards.Made:
    made = boards.run("hostile", suite="hostile", images=10, texts=boards.HOSTILE)
    regions = made.page.regions
    texts = pd.Series(regions["text"].tolist(), dtype=object)
    changed = regions.assign(reference=texts, category=texts)
    changed.loc[0, "region_id"] = HOSTILE_ID
    return boards.Made(made.row, made.scores, dataclasses.replace(made.page, regions=changed))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("samples"))


def settled(page: Page) -> Page:
    page.wait_for_selector("#cards[aria-busy=false]")
    return page


def at(watched: Watched, path: Path, fragment: str = "") -> Page:
    watched.page.goto(f"{path.as_uri()}{fragment}")
    return settled(watched.page)


def choose(page: Page, name: str, value: str) -> None:
    """Make a choice in the form and wait for what it shows."""
    before = page.locator("#told").inner_text()
    field = page.locator(f"#choices [name={name}]")
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)
    page.locator("#told", has_not_text=re.compile(f"^{re.escape(before)}$")).wait_for()
    settled(page)


def answers(page: Page, line: int = 1) -> list[str]:
    """A line of every card: 0 the reference, 1 the answer, 2 the other run's."""
    return page.locator(f".card dl > div:nth-child({line + 1}) dd > bdi").all_inner_texts()


def scores(page: Page, line: int = 1) -> list[float]:
    shown = page.locator(f".card dl > div:nth-child({line + 1}) .badge").all_inner_texts()
    return [float(text.split()[-1]) if "no score" not in text else 1e9 for text in shown]


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


def test_two_runs_are_laid_side_by_side_where_they_differ(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.one))
    choose(page, "against", paths.run_stem(site.two.row["run"]))
    one, two = site.one.page.regions, site.two.page.regions
    differ = (one["text"] != two["text"]).sum()
    assert page.locator(".card").count() == differ
    assert all(a != b for a, b in zip(answers(page), answers(page, 2), strict=False))
    apart = [abs(a - b) for a, b in zip(scores(page), scores(page, 2), strict=True)]
    assert apart == sorted(apart, reverse=True)
    names = page.locator(".card").first.locator("dt").all_inner_texts()
    assert [name.split()[0] for name in names] == ["Reference", "one", "two"]
    won = int((one[samples.MAIN] > two[samples.MAIN]).sum())
    lost = int((one[samples.MAIN] < two[samples.MAIN]).sum())
    choose(page, "outcome", "won")
    assert page.locator(".card").count() == won
    assert all(a > b for a, b in zip(scores(page), scores(page, 2), strict=True))
    choose(page, "outcome", "lost")
    assert page.locator(".card").count() == lost


def test_a_link_to_a_comparison_opens_it(watched: Watched, site: Site) -> None:
    stem = paths.run_stem(site.two.row["run"])
    page = at(watched, site.path(site.one), f"#against={stem}&outcome=lost&category=red")
    assert page.locator("#outcomes select").input_value() == "lost"
    assert set(answers(page, 0)) == {"red"}
    assert page.locator(".card").first.locator("dl > div").count() == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoder": "other@123"}, "another encoder"),
        ({"protocol": boards.PROTOCOLS[1]}, "another protocol"),
        ({"main_metric": "semantic_iou"}, "another main metric"),
        ({"encoder": "other@123", "protocol": "p"}, "another protocol and encoder"),
    ],
)
def test_scores_that_were_made_in_another_way_are_not_subtracted(
    watched: Watched, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    one, two = _differing("one", 0), _differing("two", 1)
    two.row.update(changes)
    protocol = f"/{two.row['protocol']}"
    renamed = {c: c.replace(f"/{samples.PROTOCOL}", protocol) for c in map(str, two.page.regions)}
    regions = two.page.regions.rename(columns=renamed)
    two = boards.Made(two.row, two.scores, dataclasses.replace(two.page, regions=regions))
    write_site(samples.board([one, two]), tmp_path)
    path = tmp_path / f"{paths.run_stem(one.row['run'])}.samples.html"
    stem = paths.run_stem(two.row["run"])
    differ = (one.page.regions["text"] != two.page.regions["text"]).sum()
    for choices in ("", "&outcome=won", "&order=difference&outcome=lost"):
        page = at(watched, path, f"#against={stem}{choices}")
        assert said in page.locator("#unlike").inner_text()
        assert not page.locator("[name=outcome]").is_visible()
        assert page.locator("[name=order] option[value=difference]").is_hidden()
        assert page.locator("[name=order]").input_value() == ""
        assert page.locator(".card").count() == differ
        shown = scores(page)
        assert shown == sorted(shown)
    choose(page, "against", "")
    assert not page.locator("#unlike").is_visible()


def _differing(model: str, seed: int) -> boards.Made:
    """A run with two metrics, either of which may be its main one."""
    made = samples.classed(model, seed=seed, right=0.5)
    iou = made.page.regions[samples.MAIN] / 2
    regions = made.page.regions.assign(**{f"semantic_iou/{samples.PROTOCOL}": iou})
    return boards.Made(made.row, made.scores, dataclasses.replace(made.page, regions=regions))


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__"])
@pytest.mark.parametrize("choice", ["order", "outcome", "show"])
def test_an_address_that_names_no_choice_is_the_usual_one(
    watched: Watched, site: Site, choice: str, name: str
) -> None:
    stem = paths.run_stem(site.two.row["run"])
    page = at(watched, site.path(site.one), f"#against={stem}")
    usual = page.locator(".card").count()
    page = at(watched, site.path(site.one), f"#against={stem}&{choice}={name}")
    assert page.locator(".card").count() == usual
    assert page.locator("#cards .empty").count() == 0


def test_the_keyboard_keeps_its_place_where_a_text_unfolds(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.hostile), "#category=xxxxxxxxx")
    page.locator(".card .more").nth(1).focus()
    page.keyboard.press("Enter")
    text = page.locator(".card bdi").nth(1)
    assert text.evaluate("text => text === document.activeElement")
    assert text.evaluate("text => text.tabIndex") == 0


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


def test_runs_of_other_suites_cannot_be_compared(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    assert page.locator("[name=against] option").count() == 1
    assert page.locator("[name=against]").is_disabled()


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_its_window(
    browser: Browser, site: Site, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shut = Watched(page)
    stem = paths.run_stem(site.two.row["run"])
    for path, fragment in (
        (site.path(site.one), f"#against={stem}"),
        (site.path(site.hostile), ""),
    ):
        at(shut, path, fragment)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (shut.left, shut.said) == ([], [])
    page.close()


def test_without_javascript_the_page_says_where_the_answers_are(
    browser: Browser, site: Site
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(site.path(site.one).as_uri())
    assert "needs JavaScript" in page.locator("noscript").inner_text()
    assert page.locator("form:visible, button:visible").count() == 0
    href = page.locator("noscript a[href$='.csv']").get_attribute("href")
    assert href is not None
    assert (site.path(site.one).parent / href).is_file()
    page.close()


def test_a_damaged_file_is_named_and_the_page_still_stands(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    made = samples.classed("damaged")
    write_site(samples.board([made]), tmp_path)
    folder = tmp_path / f"{paths.run_stem(made.row['run'])}.samples"
    (folder / "0000.js").unlink()
    page = browser.new_page()
    page.goto(folder.with_name(f"{folder.name}.html").as_uri())
    assert "0000.js cannot be loaded" in settled(page).locator("#cards").inner_text()
    page.close()


def test_a_quarter_of_a_million_regions_are_filtered_at_once(
    watched: Watched, tmp_path: Path
) -> None:
    made = _lvis_sized()
    board = boards.board([made])
    (run,) = runs_of(board)
    files = samples_page.files(board, run, made.page.regions, board.pages[0].suite_digest)
    for path, content in itertools.islice(files, 4):  # the page, the index and the worst regions
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (suite,) = suite_scripts(board, [run])
    (tmp_path / suite[0]).parent.mkdir(parents=True)
    (tmp_path / suite[0]).write_bytes(suite[1])
    page = at(watched, tmp_path / f"{paths.run_stem(run.run)}.samples.html")
    assert page.locator(".card").count() == 60
    assert page.locator("#told").inner_text() == "Regions 1–60 of 244,707"
    for choices in ({"show": "wrong"}, {"category": "number 12"}, {"category": "number 7"}):
        count, milliseconds = page.evaluate(
            "choices => { const start = performance.now();"
            " return [chosen(page.run, null, choices).length, performance.now() - start]; }",
            choices,
        )
        assert 0 < count < LVIS_REGIONS
        assert milliseconds < 200


def _lvis_sized() -> boards.Made:
    """A run of as many regions and categories as LVIS val."""
    made = boards.run("large", suite="lvis", images=1)
    random = np.random.default_rng(0)
    names = np.array([f"category number {at}" for at in range(1203)], dtype=object)
    truth = names[random.integers(0, len(names), LVIS_REGIONS)]
    ids = [f"{at:09d}" for at in range(LVIS_REGIONS)]
    regions = pd.DataFrame(
        {
            "region_id": ids,
            "image_id": [one[:-1] for one in ids],
            "category": truth,
            "reference": truth,
            "text": names[random.integers(0, len(names), LVIS_REGIONS)],
            "status": "answered",
            samples.MAIN: random.random(LVIS_REGIONS).round(4),
        }
    )
    page = dataclasses.replace(made.page, regions=regions)
    return boards.Made({**made.row, "expected": LVIS_REGIONS}, made.scores, page)


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[str]:
    """The site below a prefix of a web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    folder = site.folder.parent
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{site.folder.name}"
    server.shutdown()


def test_the_page_works_below_a_prefix_of_a_web_server(
    browser: Browser, site: Site, served: str
) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    stem = paths.run_stem(site.one.row["run"])
    other = paths.run_stem(site.two.row["run"])
    page.goto(f"{served}/{stem}.samples.html#against={other}")
    settled(page)
    page.locator(".shot image").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert page.locator(".card").first.locator("dl > div").count() == 3
    assert said == []
    page.close()


def _shown(text: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2400-\u2421\ufffd]", "?", text)
