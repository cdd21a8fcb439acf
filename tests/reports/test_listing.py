"""The listing of a site's files: indented JSON that reads back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.listing import NAME, Listing, Part, Written, read_listing

FILES = {'b/é"\\\n.html': Written(3, "ab" * 32), "a.css": Written(0, "cd" * 32), "old.js": None}
PARTS = {
    "board": Part("ef" * 32, ("a.css",)),
    "runs/x": Part("01" * 32, ("a.css", 'b/é"\\\n.html')),
    "nothing": Part("23" * 32, ()),
}


@pytest.mark.parametrize(
    "listing", [Listing(), Listing(FILES), Listing(FILES, PARTS)], ids=["empty", "files", "parts"]
)
def test_a_listing_is_the_json_module_s_indented_text(listing: Listing, tmp_path: Path) -> None:
    values = {
        "schema_version": 2,
        "files": dict(sorted(listing.files.items())),
        "parts": {name: part._asdict() for name, part in sorted(listing.parts.items())},
    }
    assert listing.encoded().decode() == f"{json.dumps(values, indent=1)}\n"
    (tmp_path / NAME).write_bytes(listing.encoded())
    assert read_listing(tmp_path) == listing


def test_a_part_with_a_file_that_leads_out_or_is_not_listed_is_left_out(tmp_path: Path) -> None:
    known = {"a.css": Written(1, "ab" * 32), "../b.css": Written(1, "cd" * 32)}
    parts = {
        "in": Part("1", ("a.css",)),
        "out": Part("2", ("a.css", "../b.css")),
        "unlisted": Part("3", ("a.css", "c.css")),
    }
    (tmp_path / NAME).write_bytes(Listing(known, parts).encoded())
    found = read_listing(tmp_path)
    assert (list(found.files), list(found.parts)) == (["a.css"], ["in"])


@pytest.mark.parametrize(
    "entry",
    [
        *('[true, "ab"]', '[null, "ab"]', '[1e999, "ab"]', '[NaN, "ab"]', '["nan", "ab"]'),
        *("[1, null]", '"ab"', "[1]", "[]", "false"),
    ],
)
def test_a_listing_with_an_entry_that_is_none_cannot_be_used(entry: str, tmp_path: Path) -> None:
    whole = Listing({"a.css": Written(1, "ab"), "b.css": Written(2, "cd")}).encoded().decode()
    good = '[\n   1,\n   "ab"\n  ]'
    assert good in whole
    (tmp_path / NAME).write_text(whole.replace(good, entry))
    assert read_listing(tmp_path) == Listing()
