"""A build that failed or was killed: the next one mends it and removes what it left."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reports import building
from reports.frames import Board
from reports.site import write_site
from reports.writing import put_file, write_folder
from tests.reports import boards, samples
from tests.reports.boards import Made
from tests.reports.builds import board, three
from tests.reports.test_site import files


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
