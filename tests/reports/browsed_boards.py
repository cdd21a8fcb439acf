"""Boards that are opened in a real browser, and the tools above their table."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports import published
from reports.site import write_site
from tests.reports import boards

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

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


def tools(page: Page) -> Locator:
    return page.locator(f".tools[data-for={TABLE}]")


def copied(page: Page) -> list[list[str]]:
    """The cells that the page's button copies."""
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    tools(page).locator("[name=copy]").click()
    text: str = page.evaluate("window.copied")
    return [line.split("\t") for line in text.split("\n")]
