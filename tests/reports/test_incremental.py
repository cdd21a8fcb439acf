"""A build upon an earlier one: only what changed is made, and the bytes are those of a new one."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from reports import building, fingerprint
from reports.compare_page import write_comparison
from reports.frames import Board, PageSource, RunReport
from reports.site import write_site
from reports.writing import put_file, write_folder, writing
from tests.reports import boards, comparisons, pages, samples
from tests.reports.boards import Made
from tests.reports.test_site import files, stamps


def given(report: RunReport) -> RunReport:
    """What a source loads; a function of a module, so that another process can be sent it."""
    return report


def board(made: list[Made], *, title: str = "Board") -> Board:
    """The board of these runs, whose pages say what they are made from."""
    sources = tuple(
        PageSource(one.page.run, f"digest of {one.row['model']}", partial(given, one.page))
        for one in made
    )
    return dataclasses.replace(boards.board(made, title=title), pages=sources)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The models whose pages were made since the last call."""
    seen: list[str] = []
    make = building._make

    def noting(*given: object) -> object:
        seen.append(given[1].run.model)  # type: ignore[attr-defined]
        return make(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "_make", noting)

    def take() -> list[str]:
        found = sorted(seen)
        seen.clear()
        return found

    return take


def three() -> list[Made]:
    return [boards.run(name, images=3) for name in ("a", "b", "c")]


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


def test_a_build_that_fails_is_mended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_site(board(three()), tmp_path / "site")
    later = board([*three(), boards.run("d", images=3)], title="Later")
    with monkeypatch.context() as broken:
        broken.setattr(building, "_make", _fail_at_second(building._make))
        with pytest.raises(RuntimeError, match="power cut"):
            write_site(later, tmp_path / "site")
    write_site(later, tmp_path / "site")
    write_site(later, tmp_path / "whole")
    assert files(tmp_path / "site") == files(tmp_path / "whole")


def _shown(made: list[Made]) -> Board:
    """The board of these runs with the pictures of their suite."""
    pictures = samples.pictures(boards.run("a", images=60))
    return dataclasses.replace(board(made), pictures=(pictures,))


@pytest.mark.parametrize("within", ["pages", "pictures"])
def test_what_a_failed_build_left_is_removed_by_a_smaller_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, within: str
) -> None:
    site = tmp_path / "site"
    write_site(board(three()[:1]), site)
    (site / "mine.jpg").write_bytes(b"mine")
    with monkeypatch.context() as broken:
        if within == "pages":
            broken.setattr(building, "_make", _fail_at_second(building._make))
        else:
            broken.setattr("reports.site.put_file", _fail_at_second(put_file, 40))
        with pytest.raises(RuntimeError, match="power cut"):
            write_site(_shown(three()), site)
    assert list(site.glob("pictures/*/*.jpg"))
    write_site(board(three()[:1]), site)
    assert (site / "mine.jpg").read_bytes() == b"mine"
    (site / "mine.jpg").unlink()
    write_site(board(three()[:1]), tmp_path / "whole")
    assert files(site) == files(tmp_path / "whole")


def _killed_at(site: Path, left: int) -> None:
    """Write a site with pictures, and be killed before that many files are whole."""

    replace = Path.replace

    def dying(path: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(path, target)

    Path.replace = dying  # type: ignore[method-assign,assignment]
    write_site(_shown(three()), site)


@pytest.mark.parametrize("left", [1, 30, 45])
def test_what_a_killed_build_left_is_removed_by_a_smaller_one(tmp_path: Path, left: int) -> None:
    site = tmp_path / "site"
    write_site(board(three()[:1]), site)
    before = files(site)
    context = multiprocessing.get_context("spawn")
    build = context.Process(target=_killed_at, args=(site, left))
    build.start()
    build.join()
    assert build.exitcode == -signal.SIGKILL
    assert set(files(site)) > set(before)
    write_site(board(three()[:1]), site)
    assert files(site) == before


def test_what_a_failed_build_left_is_not_listed_by_a_command_that_writes_less(
    tmp_path: Path,
) -> None:
    def contents() -> Iterator[tuple[str, bytes]]:
        yield "pictures/a.jpg", b"a"
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_folder(tmp_path, contents())
    write_folder(tmp_path, [("compare/b.html", b"b")], only=("compare/b.",))
    listed = json.loads((tmp_path / "site-files.json").read_text())["files"]
    assert set(listed) == {"compare/b.html"}
    write_site(board([]), tmp_path)
    assert not (tmp_path / "pictures").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("line", ["", "null", '"', '"../outside"', '"/outside"', "\xff", '"gone"'])
def test_a_note_that_is_none_is_passed_over(tmp_path: Path, line: str) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside").write_text("mine")
    (site / ".site-files.json.new").write_text(f'{line}\n"left.jpg"\n', encoding="latin-1")
    (site / "left.jpg").write_bytes(b"left")
    write_site(board([]), site)
    assert not (site / "left.jpg").exists()
    assert (tmp_path / "outside").read_text() == "mine"


def _fail_at_second(make: Callable[..., object], last: int = 1) -> Callable[..., object]:
    calls: list[None] = []

    def failing(*given: object) -> object:
        calls.append(None)
        if len(calls) > last:
            raise RuntimeError("power cut")
        return make(*given)

    return failing


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


def compare(site: Path, first: str, second: str) -> Path:
    """Write the comparison of two of the board's runs as they are."""
    sides = (
        dataclasses.replace(comparisons.side(name), digest=f"digest of {name}")
        for name in (first, second)
    )
    return write_comparison(comparisons.demo(**dict(zip(SIDES, sides, strict=True))), site, "Board")


SIDES = ("first", "second")


def test_comparisons_stay_while_both_runs_are_what_was_compared(tmp_path: Path) -> None:
    write_site(board(three()), tmp_path)
    page, other = compare(tmp_path, "a", "b"), compare(tmp_path, "a", "c")
    (tmp_path / "compare/mine.html").write_text("mine")
    before = {path.name: path.read_bytes() for path in page.parent.glob(f"{page.stem}.*")}
    assert len(before) == 6
    write_site(board(three()[:2]), tmp_path)
    left = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    assert left == {**before, "mine.html": b"mine"}
    assert not other.exists()


@pytest.mark.parametrize("change", ["gone", "changed", "unknown", "without digests", "damaged"])
def test_a_comparison_that_holds_no_more_is_removed_whole(tmp_path: Path, change: str) -> None:
    write_site(board(three()), tmp_path)
    page = compare(tmp_path, "a", "b")
    later = board(three())
    if change == "gone":
        later = board(three()[:1])
    elif change in ("changed", "unknown"):
        digest = "" if change == "unknown" else "scored anew"
        source = dataclasses.replace(later.pages[1], digest=digest)
        later = dataclasses.replace(later, pages=(later.pages[0], source, later.pages[2]))
    else:
        (kept,) = page.parent.glob("*.runs.json")
        kept.unlink() if change == "without digests" else kept.write_text('{"first": []}')
    write_site(later, tmp_path)
    assert not page.parent.exists()
    write_site(later, tmp_path / "whole")
    assert files(tmp_path / "whole").items() <= files(tmp_path).items()


def test_runs_link_the_comparisons_that_stay(
    tmp_path: Path, built: Callable[[], list[str]]
) -> None:
    site = tmp_path / "grown"
    write_site(board(three()), site)
    built()
    page = compare(site, "a", "b")
    write_site(board(three()), site)
    assert built() == ["a", "b"]
    for model in ("a", "b", "c"):
        run = site / f"runs/shapes/{model}/20260601T120000-5f3a.html"
        links = [a.get("href", "") for _, a in pages.tags(run)]
        assert (f"../../../compare/{page.name}" in links) == (model != "c")
    write_site(board(three()), site)
    assert built() == []
    shutil.copytree(site, tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole/runs")
    write_site(board(three()), tmp_path / "whole")
    assert files(tmp_path / "whole") == files(site)
    write_site(board([three()[0], three()[2]]), site)
    built()
    write_site(board([three()[0], three()[2]]), tmp_path / "never")
    assert files(site) == files(tmp_path / "never")


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
