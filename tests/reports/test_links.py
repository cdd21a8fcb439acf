"""The built site from any place: every link leads to a file of it, from disks and URL prefixes."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from reports import published
from reports.site import write_site
from tests.reports import boards, pages, sweeps
from tests.reports.test_browser import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

PREFIX = "some/prefix"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Families, runs with samples, and a sweep, below a prefix."""
    made = [
        *boards.demo(),
        boards.run("ünïcode name", images=3),
        boards.run("hostile", texts=boards.HOSTILE, images=30),
        boards.run("wow-seg-1b", suite="lvis", images=9),
    ]
    folder = tmp_path_factory.mktemp("host") / PREFIX
    costs, speeds = sweeps.demo()
    board = boards.board(made, published=published.load())
    write_site(dataclasses.replace(board, costs=costs, speeds=speeds), folder)
    return folder


def links(page: Path) -> Iterator[str]:
    """Everything a page loads or leads to."""
    for _, attributes in pages.tags(page):
        for name in ("href", "src", "srcset", "poster", "action"):
            if attributes.get(name):
                yield attributes[name]


def test_every_target_is_a_file_of_the_site(site: Path) -> None:
    found = sorted(site.rglob("*.html"))
    assert {"index.html", "efficiency.html"} <= {page.name for page in found}
    assert any(page.name.endswith(".samples.html") for page in found)
    targets = set()
    for page in found:
        for link in links(page):
            parts = urlsplit(link)
            if parts.scheme == "data" or (not parts.path and parts.fragment):
                continue
            assert not parts.scheme, (page, link)
            assert not parts.netloc, (page, link)
            assert not parts.path.startswith("/"), (page, link)
            target = (page.parent / unquote(parts.path)).resolve()
            assert target.is_relative_to(site), (page, link)
            assert target.is_file(), (page, link)
            targets.add(target)
    reached = {target.relative_to(site).as_posix() for target in targets}
    unreached = {page.relative_to(site).as_posix() for page in found} - reached
    assert unreached <= {"index.html"}
    assert len(targets) > 50


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """A plain static host whose root lies above the site."""
    asked = partial(_Quiet, directory=str(site.parents[1]))
    with ThreadingHTTPServer(("127.0.0.1", 0), asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{PREFIX}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.mark.browser
def test_every_page_works_below_a_prefix(site: Path, address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    failed: list[str] = []
    said: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("response", lambda got: failed.append(got.url) if got.status >= 400 else None)
    page.on("request", lambda one: None if one.url.startswith(address) else failed.append(one.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    for path in paths:
        page.goto(address + path)
        assert page.title()
    page.goto(address)
    page.locator("main a[href*='runs/']").first.click()
    assert page.url.startswith(f"{address}runs/")
    page.go_back()
    assert (failed, said) == ([], [])
    page.close()
