"""What a phone's window shows in a real browser: whole charts, a sign where more lies behind."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest
from PIL import Image

from reports import paths
from reports.compare_page import write_comparison
from reports.site import write_site
from tests.reports import boards, sweeps
from tests.reports.comparisons import demo
from tests.reports.test_browser import RUN_ID, browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

__all__ = ["browser"]

pytestmark = pytest.mark.browser

PAPER = {"light": (253, 253, 251), "dark": (21, 23, 26)}
TABLE = "region-recognition-best"
_SIZES = """
boxes => boxes.map(box => {
  const svg = box.querySelector("svg");
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll("text")];
  const sizes = texts.map(text => parseFloat(getComputedStyle(text).fontSize));
  return [box.scrollWidth - box.clientWidth, scale * Math.min(...sizes)];
})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board with every kind of chart; returns its folder."""
    costs, speeds = sweeps.demo()
    board = dataclasses.replace(boards.board(boards.demo()), costs=costs, speeds=speeds)
    folder = write_site(board, tmp_path_factory.mktemp("site")).parent
    write_comparison(demo(), folder, "regionbench").rename(folder / "comparison.html")
    return folder


RUN = paths.run_page(f"shapes/tiny-sm/{RUN_ID}")


def charts(page: Page) -> list[tuple[float, float]]:
    """How many pixels of every chart are out of sight, and its smallest text's size."""
    found = page.locator("figure .scroll").evaluate_all(_SIZES)
    return cast("list[tuple[float, float]]", found)


@pytest.mark.parametrize("width", [360, 400])
@pytest.mark.parametrize("name", [RUN, "comparison.html"])
def test_a_phone_shows_small_charts_whole(
    browser: Browser, site: Path, name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto((site / name).as_uri())
    ((hidden, text),) = charts(page)
    assert hidden <= 0
    assert text >= 7.9
    page.close()


@pytest.mark.parametrize("name", ["region-recognition.html", "efficiency.html"])
def test_a_phone_s_wide_charts_shrink_as_far_as_they_can_be_read(
    browser: Browser, site: Path, name: str
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((site / name).as_uri())
    full = charts(page)
    page.set_viewport_size({"width": 400, "height": 800})
    shrunk = charts(page)
    assert len(shrunk) == len(full) > 0
    assert all(7.5 <= small < large for (_, small), (_, large) in zip(shrunk, full, strict=True))
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("region-recognition.html", "figure .scroll"),
        ("efficiency.html", "figure .scroll"),
        ("index.html", f".scroll:has(#{TABLE})"),
    ],
)
def test_a_side_is_shaded_while_more_lies_behind_it(
    browser: Browser, site: Path, name: str, box: str, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    page.goto((site / name).as_uri())
    shown = page.locator(box).first
    assert shaded_on_the_right(shown, PAPER[scheme])
    shown.evaluate("element => { element.scrollLeft = element.scrollWidth; }")
    assert not shaded_on_the_right(shown, PAPER[scheme])
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not shaded_on_the_right(shown, PAPER[scheme])
    page.close()


@pytest.mark.parametrize(("width", "place"), [(360, "th"), (400, "th"), (1280, "td")])
def test_that_a_run_is_of_a_part_is_seen_once_and_without_scrolling(
    browser: Browser, site: Path, width: int, place: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto((site / "index.html").as_uri())
    (badge,) = page.locator(f"#{TABLE} tbody .mark:visible").all()
    assert badge.inner_text() == "part: first 10 of 120 images"
    assert badge.evaluate("element => element.parentElement.localName") == place
    shown = badge.bounding_box()
    assert shown is not None
    assert shown["x"] + shown["width"] <= width
    name = page.locator(f"#{TABLE} tbody tr:has(.mark) th > span").bounding_box()
    assert name is not None
    assert (shown["y"] >= name["y"] + name["height"]) == (place == "th")
    page.close()


def test_the_part_s_suite_is_named_where_the_table_has_several(
    browser: Browser, tmp_path: Path
) -> None:
    made = [
        boards.run("m", suite=suite, images=20, part=part)
        for suite, part in (("lvis", None), ("paco", 5))
    ]
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(write_site(boards.board(made), tmp_path).as_uri())
    badge = page.locator(f"#{TABLE} tbody .mark:visible")
    assert badge.inner_text() == "PACO, part: first 5 of 20 images"
    page.close()


def shaded_on_the_right(box: Locator, paper: tuple[int, int, int]) -> bool:
    """Whether the box's last column of pixels is mostly not paper."""
    image = Image.open(io.BytesIO(box.screenshot())).convert("RGB")
    # Half a pixel of the page may stand beside a box that begins between two.
    column = [image.getpixel((image.width - 2, y)) for y in range(image.height)]
    plain = sum(pixel == paper for pixel in column)
    return 2 * plain < len(column)
