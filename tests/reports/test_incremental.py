"""A build upon an earlier one: only what changed is made, and the bytes are those of a new one."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reports import building, fingerprint
from reports.site import write_site
from reports.writing import put_file, writing
from tests.reports import boards
from tests.reports.builds import board, built, three
from tests.reports.test_site import files, stamps

__all__ = ["built"]


def test_unchanged_runs_are_not_made_again(tmp_path: Path, built: Callable[[], list[str]]) -> None:
    write_site(board(three()), tmp_path)
    assert built() == ["a", "b", "c"]
    before = stamps(tmp_path)
    write_site(board(three()), tmp_path)
    assert built() == []
    assert stamps(tmp_path) == before


def test_one_new_run_is_made_alone_and_the_folder_is_that_of_a_new_build(
    tmp_path: Path, built: Callable[[], list[str]]
) -> None:
    made = [*three(), boards.run("new", images=4)]
    write_site(board(made[:3]), tmp_path / "grown")
    built()
    write_site(board(made), tmp_path / "grown")
    assert built() == ["new"]
    write_site(board(made), tmp_path / "whole")
    assert files(tmp_path / "grown") == files(tmp_path / "whole")
    write_site(board(made[:3]), tmp_path / "grown")
    write_site(board(made[:3]), tmp_path / "small")
    assert files(tmp_path / "grown") == files(tmp_path / "small")


@pytest.mark.parametrize("change", ["digest", "row", "score", "title", "code", "makers", "sweeps"])
def test_whatever_a_page_shows_makes_it_anew(
    tmp_path: Path, built: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    made = three()
    write_site(board(made), tmp_path, made_by="1")
    built()
    changed, made_by, expected = board(made), "1", ["a", "b", "c"]
    if change == "digest":
        other = dataclasses.replace(changed.pages[0], digest="other")
        changed = dataclasses.replace(changed, pages=(other, *changed.pages[1:]))
        expected = ["a"]
    elif change == "row":
        changed.runs.loc[1, "device"] = "cuda"
        expected = ["b"]
    elif change == "score":
        changed.scores.at[0, "low"] = 0.01
        expected = ["a"]
    elif change == "title":
        changed = board(made, title="Other")
    elif change == "code":
        made_by = "2"
    elif change == "makers":
        monkeypatch.setattr(fingerprint, "makers", lambda: "a later version")
    else:
        changed = dataclasses.replace(changed, costs=changed.costs.assign(model=[]).astype("str"))
        changed.costs.loc[0] = "x"
        monkeypatch.setattr("reports.site._board_files", lambda *given: iter(()))
        monkeypatch.setattr("reports.run_page.files", lambda *given: iter(()))
    write_site(changed, tmp_path, made_by=made_by)
    assert built() == expected


def test_another_rank_makes_no_runs_page_anew(
    tmp_path: Path, built: Callable[[], list[str]]
) -> None:
    made = three()
    write_site(board(made), tmp_path)
    built()
    ranked = board(made)
    ranked.runs["rank"] = [1, 2, 2]
    ranked.runs["ranked"] = 3
    write_site(ranked, tmp_path)
    assert built() == []
    index = json.loads((tmp_path / "index.json").read_text())
    assert [(run["rank"], run["ranked"]) for run in index["runs"]] == [(1, 3), (2, 3), (2, 3)]
    values = json.loads((tmp_path / "runs/shapes/a/20260601T120000-5f3a.json").read_text())
    assert not {"rank", "ranked"} & set(values)


def test_a_file_that_was_removed_or_changed_by_hand_is_restored(
    tmp_path: Path, built: Callable[[], list[str]]
) -> None:
    write_site(board(three()), tmp_path)
    whole = files(tmp_path)
    built()
    (tmp_path / "runs/shapes/a/20260601T120000-5f3a.html").unlink()
    (tmp_path / "runs/shapes/b/20260601T120000-5f3a.json").write_text("{}")
    same_size = tmp_path / "runs/shapes/c/20260601T120000-5f3a.scores.csv"
    same_size.write_bytes(b"x" * same_size.stat().st_size)
    (tmp_path / "index.html").write_text("")
    write_site(board(three()), tmp_path)
    assert built() == ["a", "b", "c"]
    assert files(tmp_path) == whole


def test_a_site_that_was_copied_is_gone_on_with(
    tmp_path: Path, built: Callable[[], list[str]]
) -> None:
    write_site(board(three()), tmp_path / "one")
    built()
    for name, content in files(tmp_path / "one").items():  # in an order of its own, times anew
        place = tmp_path / "other" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    os.utime(tmp_path / "other" / "site-files.json", (0, 0))
    write_site(board(three()), tmp_path / "other")
    assert built() == []


def test_several_processes_write_what_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [boards.run(f"m{at}", images=2) for at in range(5)]
    write_site(board(made), tmp_path / "one")
    monkeypatch.setattr(building, "FEW", 2)
    write_site(board(made), tmp_path / "two", processes=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_two_builds_at_once_leave_a_whole_site(tmp_path: Path) -> None:
    first, second = board(three()), board([*three(), boards.run("d", images=3)])
    context = multiprocessing.get_context("spawn")
    builds = [
        context.Process(target=write_site, args=(one, tmp_path / "site")) for one in (first, second)
    ]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert [build.exitcode for build in builds] == [0, 0]
    found = files(tmp_path / "site")
    for one, name in ((first, "first"), (second, "second")):
        write_site(one, tmp_path / name)
    assert found in (files(tmp_path / "first"), files(tmp_path / "second"))


def test_a_listing_of_version_1_is_read(tmp_path: Path, built: Callable[[], list[str]]) -> None:
    (tmp_path / "runs").mkdir()
    for name in ("runs/old.html", "mine.html"):
        (tmp_path / name).write_text("old")
    listing = {"schema_version": 1, "files": ["runs/old.html", "runs/gone.html"]}
    (tmp_path / "site-files.json").write_text(json.dumps(listing))
    write_site(board(three()), tmp_path)
    assert not (tmp_path / "runs/old.html").exists()
    assert (tmp_path / "mine.html").exists()
    assert json.loads((tmp_path / "site-files.json").read_text())["schema_version"] == 2


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": 3}', '{"files": {}, "parts": 1}'])
def test_a_listing_that_is_none_is_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "site-files.json").write_text(text)
    write_site(board(three()), tmp_path)
    assert "index.html" in json.loads((tmp_path / "site-files.json").read_text())["files"]


def test_a_part_that_shares_a_file_with_one_that_is_gone_keeps_it(tmp_path: Path) -> None:
    with writing(tmp_path) as site:
        site.put("shared.js", b"1")
        written = {"shared.js": site._files["shared.js"]}
        assert written["shared.js"] is not None
        for part in ("one", "two"):
            site.made(part, part, {"shared.js": written["shared.js"]})
    with writing(tmp_path) as site:
        assert site.keep("two", "two")
    assert (tmp_path / "shared.js").exists()


@pytest.mark.parametrize("listed", [False, True], ids=["unknown", "an earlier file"])
def test_a_pipe_in_a_file_s_place_is_not_read_but_replaced(tmp_path: Path, listed: bool) -> None:
    if listed:
        with writing(tmp_path) as site:
            site.made("part", "one", {"a.txt": put_file(tmp_path, "a.txt", b"")})
        (tmp_path / "a.txt").unlink()
    os.mkfifo(tmp_path / "a.txt")
    with writing(tmp_path) as site:
        assert not site.keep("part", "one")
        site.put("a.txt", b"")
    assert (tmp_path / "a.txt").is_file()
