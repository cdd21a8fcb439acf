"""The site as a folder of files: stable, incremental, light, and of one piece."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest

from reports.frames import ReportError
from reports.site import write_site
from reports.suite_files import suite_folder
from tests.reports import boards, pages

BOARD = ("index", "region-recognition")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stamps(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_ino for name in files(folder)}


def test_equal_boards_give_equal_bytes_in_any_process(tmp_path: Path, repository: Path) -> None:
    script = (
        "import sys, pathlib; from reports import published; from reports.site import write_site; "
        "from tests.reports import boards; "
        "made = [boards.run(name, images=9, texts=boards.HOSTILE) for name in ('a', 'b')]; "
        "write_site(boards.board(made, published=published.load()), pathlib.Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"Etc/GMT+{seed}"}
        command = [sys.executable, "-c", script, str(tmp_path / seed)]
        subprocess.run(command, check=True, cwd=repository, env=environment)
    assert files(tmp_path / "1") == files(tmp_path / "2")


def test_the_order_of_runs_in_the_frames_does_not_matter(tmp_path: Path) -> None:
    made = boards.demo()
    write_site(boards.board(made), tmp_path / "one")
    write_site(boards.board(made[::-1]), tmp_path / "other")
    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_writing_again_touches_no_file(tmp_path: Path) -> None:
    board = boards.board(boards.demo())
    write_site(board, tmp_path)
    before = stamps(tmp_path)
    write_site(board, tmp_path)
    assert stamps(tmp_path) == before


def test_a_new_run_rewrites_the_board_and_no_other_run(tmp_path: Path) -> None:
    made = boards.demo()
    write_site(boards.board(made), tmp_path)
    before = stamps(tmp_path)
    write_site(boards.board([*made, boards.run("new", images=5)]), tmp_path)
    after = stamps(tmp_path)
    touched = {name for name in after if before.get(name) != after[name]}
    assert {name for name in touched if not name.startswith("runs/shapes/new/")} == {
        *(f"{page}.{kind}" for page in BOARD for kind in ("html", "csv", "json")),
        f"{suite_folder(boards.suite_digest('shapes'))}/suite.js",
        "site-files.json",
    }


def test_a_run_that_is_gone_takes_its_pages_along_and_nothing_else(tmp_path: Path) -> None:
    made = [boards.run("stays", images=2), boards.run("goes", images=2)]
    write_site(boards.board(made), tmp_path)
    (tmp_path / "CNAME").write_text("example.invalid")
    (tmp_path / "runs" / "shapes" / "stays" / "note.txt").write_text("mine")
    write_site(boards.board(made[:1]), tmp_path)
    left = set(files(tmp_path))
    assert not (tmp_path / "runs" / "shapes" / "goes").exists()
    assert {"CNAME", "runs/shapes/stays/note.txt"} <= left


def test_a_listing_that_points_outside_the_site_removes_nothing_there(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    site = tmp_path / "site"
    site.mkdir()
    listing = {"schema_version": 1, "files": ["../outside.txt", str(outside)]}
    (site / "site-files.json").write_text(json.dumps(listing))
    write_site(boards.board([]), site)
    assert outside.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "site"
    taken.write_text("a file")
    with pytest.raises(ReportError, match=f"cannot be written to {re.escape(str(taken))}"):
        write_site(boards.board([]), taken)


def test_a_board_without_runs_says_how_to_make_one(tmp_path: Path) -> None:
    text = write_site(boards.board([]), tmp_path).read_text(encoding="utf-8")
    assert "No run yet" in text
    assert "bench run" in text


def test_every_link_leads_to_a_file_of_the_site(demo_site: Path) -> None:
    folder = demo_site.parent
    checked = 0
    for page in folder.rglob("*.html"):
        ids = {attributes["id"] for _, attributes in pages.tags(page) if "id" in attributes}
        for tag, attributes in pages.tags(page):
            target = attributes.get("href", "")
            if tag != "a" or not target:
                continue
            path, _, fragment = target.partition("#")
            if path:
                assert Path(unquote(urljoin(page.as_uri(), path)).removeprefix("file://")).is_file()
            else:
                assert fragment in ids
            checked += 1
    assert checked > 50


def test_no_page_names_another_host_or_loads_a_resource(demo_site: Path) -> None:
    for page in demo_site.parent.rglob("*.html"):
        for tag, attributes in pages.tags(page):
            assert "src" not in attributes, (page, tag)
            assert tag not in ("iframe", "object", "embed", "base")
            if tag == "link":
                assert attributes["href"].startswith("data:")
            if tag == "a":
                assert not re.match(r"[a-z]+:|//", attributes["href"])


def test_the_policy_of_every_page_allows_its_own_script_alone(demo_site: Path) -> None:
    for page in demo_site.parent.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        digest = hashlib.sha256(scripts[-1].encode()).digest()
        policy = next(
            attributes["content"]
            for tag, attributes in pages.tags(page)
            if attributes.get("http-equiv") == "Content-Security-Policy"
        )
        assert "default-src 'none'" in policy
        assert f"script-src 'sha256-{_base64(digest)}'" in policy
        assert len(scripts) == 1


def test_identifiers_are_unique_on_every_page(demo_site: Path) -> None:
    for page in demo_site.parent.rglob("*.html"):
        ids = [attributes["id"] for _, attributes in pages.tags(page) if "id" in attributes]
        assert len(ids) == len(set(ids))


def test_run_names_that_no_file_may_bear_stay_inside_the_site(tmp_path: Path) -> None:
    made = [
        boards.run(model, images=1, seed=at)
        for at, model in enumerate(["..", "a b", "a-b", "con\x00trol", "ü", "x" * 300, ".hidden"])
    ]
    site = tmp_path / "site"
    write_site(boards.board(made), site)
    assert len(list((site / "runs" / "shapes").iterdir())) == len(made)
    assert {path.name for path in tmp_path.iterdir()} == {"site"}


def _base64(digest: bytes) -> str:
    import base64

    return base64.b64encode(digest).decode()
