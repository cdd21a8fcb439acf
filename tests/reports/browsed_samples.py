"""A site whose sample browser is opened, and what it is asked and shows there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from reports import paths
from reports.site import write_site
from tests.reports import boards, samples
from tests.reports.test_browser import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
