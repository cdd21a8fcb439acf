"""Where the sample browser works: any window, no JavaScript, damage, a large run, a server."""

from __future__ import annotations

import dataclasses
import functools
import itertools
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
from tests.reports.browsed_samples import Site, at, settled, site
from tests.reports.test_browser import Watched, browser, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "site", "watched"]

pytestmark = pytest.mark.browser

LVIS_REGIONS = 244_707


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
