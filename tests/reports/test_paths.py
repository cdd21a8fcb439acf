"""Names of files that every file system takes, and the links between them."""

from __future__ import annotations

import posixpath
import re

import pytest

from reports.paths import caseless, relative, run_stem, slug

DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@pytest.mark.parametrize("name", ["a", "A", "tiny-mm.v2", "4x", "_", "console", "a.con", "com10"])
def test_a_plain_name_is_kept(name: str) -> None:
    assert slug(name) == name
    assert run_stem(f"lvis/{name}/1f") == f"runs/lvis/{name}/1f"


@pytest.mark.parametrize(
    "name",
    ["con", "NUL", "aux.x", "Com1", "lpt9.html", "prn.", "a.", "a..", ".a", "", ".", "..", "a b"],
)
def test_a_name_that_windows_takes_otherwise_ends_in_a_digest(name: str) -> None:
    for found in (slug(name), caseless(name)):
        assert found != name
        assert re.search(r"[0-9a-f]{8}$", found)
        assert not DEVICES.match(found)
        assert not found.startswith(".")


def test_names_that_differ_in_case_alone_stay_apart_where_case_does_not_count() -> None:
    names = ["IMG_1", "img_1", "Img_1", "img_1.", "con", "CON"]
    assert len({caseless(name).lower() for name in names}) == len(names)
    assert caseless("img_1") == "img_1"


@pytest.mark.parametrize("page", ["index.html", "runs/a/b/1.html", "runs/a/c.html"])
@pytest.mark.parametrize(
    "target", ["index.html", "runs/a/b/1.html", "runs/a/b/1.json", "runs/b", "runs/a/b/c/d.js"]
)
def test_a_link_leads_from_the_page_to_its_target(page: str, target: str) -> None:
    assert relative(target, page) == posixpath.relpath(target, posixpath.dirname(page) or ".")
