"""Publishing onto a branch that others write, too: nothing lost, nothing forced."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.publishing import branch, site_commit
from tests.bench.kinds import Bench
from tests.bench.published_sites import git, on_branch, push_by_hand, remote, site, write

__all__ = ["remote", "site"]


def test_files_of_others_on_the_branch_stay(bench: Bench, remote: Path, site: Path) -> None:
    push_by_hand(remote, {"CNAME": "board.example", "docs/guide.html": "guide"})
    assert bench("publish", "--remote", remote, "--no-report") == 0
    (site / "runs" / "a.html").unlink()
    write(site, {"index.html": "<p>2"})
    assert bench("publish", "--remote", remote, "--no-report") == 0
    found = on_branch(remote)
    assert (found["CNAME"], found["docs/guide.html"]) == ("board.example", "guide")
    assert "runs/a.html" not in found


@pytest.mark.parametrize(
    ("theirs", "folder"),
    [
        ("index.html", ""),
        ("runs", ""),
        ("index.html/theirs.html", ""),
        ("site-files.json", ""),
        (".nojekyll/theirs.html", ""),
        ("board", "board"),
        ("board/index.html", "board"),
        ("board/runs/a.html", "board"),
    ],
)
def test_a_file_of_others_in_the_way_is_named_and_stays(
    bench: Bench,
    remote: Path,
    site: Path,
    capsys: pytest.CaptureFixture[str],
    theirs: str,
    folder: str,
) -> None:
    push_by_hand(remote, {theirs: "theirs", "more.html": "more"})
    words = ("publish", "--remote", remote, "--folder", folder, "--no-report")
    for also in ((), ("--dry-run",)):
        assert bench(*words, *also) == 2
        said = capsys.readouterr().err
        assert repr(theirs) in said
        assert "'more.html'" not in said
        assert "--branch" in said
    assert on_branch(remote) == {theirs: "theirs", "more.html": "more"}


def test_a_link_of_others_in_the_way_stays(
    bench: Bench, workplace: Path, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_by_hand(remote, {"docs/guide.html": "guide"})
    other = workplace / "linking"
    git(workplace, "clone", "--quiet", "--branch", "gh-pages", str(remote), str(other))
    (other / "board").symlink_to("docs")
    (other / "runs").mkdir()
    (other / "runs" / "a.html").symlink_to("a")  # a link's blob is its target: our file's bytes
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "links")
    git(other, "push", "--quiet", "origin", "gh-pages")
    tip = git(remote, "rev-parse", "gh-pages")
    assert bench("publish", "--remote", remote, "--folder", "board", "--no-report") == 2
    assert "'board'" in capsys.readouterr().err
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "'runs/a.html'" in capsys.readouterr().err
    assert git(remote, "rev-parse", "gh-pages") == tip


def test_a_file_of_others_with_the_same_bytes_is_not_in_the_way(
    bench: Bench, remote: Path, site: Path
) -> None:
    push_by_hand(remote, {"runs/a.html": "a", "runs/theirs.html": "theirs"})
    assert bench("publish", "--remote", remote, "--no-report") == 0
    found = on_branch(remote)
    assert (found["runs/a.html"], found["runs/theirs.html"]) == ("a", "theirs")


def test_many_files_of_others_are_counted(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(site, {"index.html": "<p>1"} | {f"runs/{n}.html": "ours" for n in range(5)})
    push_by_hand(remote, {f"runs/{n}.html": "theirs" for n in range(5)})
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "'runs/0.html', 'runs/1.html', 'runs/2.html' and 2 more" in capsys.readouterr().err


def test_a_damaged_listing_on_the_branch_gives_nothing_away(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("publish", "--remote", remote, "--no-report") == 0
    push_by_hand(remote, {"site-files.json": "<<<<<<< HEAD"})
    before = on_branch(remote)
    write(site, {"index.html": "<p>2", "runs/a.html": "a"})
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "'index.html', 'site-files.json'" in capsys.readouterr().err
    assert on_branch(remote) == before


def test_a_folder_of_the_branch_is_replaced_alone(bench: Bench, remote: Path, site: Path) -> None:
    push_by_hand(remote, {"index.html": "my own page", "board/old.html": "mine"})
    words = ("publish", "--remote", remote, "--folder", "board/latest/", "--no-report")
    assert bench(*words) == 0
    found = on_branch(remote)
    assert found["index.html"] == "my own page"
    assert found["board/latest/index.html"] == "<p>1"
    assert ".nojekyll" in found
    (site / "runs" / "a.html").unlink()
    write(site, {"index.html": "<p>2"})
    assert bench(*words) == 0
    assert set(on_branch(remote)) == {
        ".nojekyll",
        "board/latest/index.html",
        "board/latest/site-files.json",
        "board/old.html",
        "index.html",
    }


def test_a_branch_that_moves_meanwhile_is_published_on_top_of(
    bench: Bench, remote: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench("publish", "--remote", remote, "--no-report") == 0
    moves = between_fetch_and_push(remote, monkeypatch, times=1)
    write(site, {"index.html": "<p>2", "runs/a.html": "a"})
    assert bench("publish", "--remote", remote, "--no-report") == 0
    assert moves == ["theirs-0.txt"]
    found = on_branch(remote)
    assert (found["theirs-0.txt"], found["index.html"]) == ("theirs", "<p>2")
    assert git(remote, "rev-list", "--count", "gh-pages") == "3"


def test_a_branch_that_keeps_moving_is_left_alone(
    bench: Bench,
    remote: Path,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    moves = between_fetch_and_push(remote, monkeypatch, times=9)
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert moves == ["theirs-0.txt", "theirs-1.txt"]
    assert "moved twice" in capsys.readouterr().err
    assert set(on_branch(remote)) == {"theirs-0.txt", "theirs-1.txt"}


def between_fetch_and_push(
    remote: Path, monkeypatch: pytest.MonkeyPatch, *, times: int
) -> list[str]:
    """Somebody else pushes a file each time before we do."""
    pushed: list[str] = []
    push = branch.push

    def late(*given: object) -> None:
        if len(pushed) < times:
            pushed.append(f"theirs-{len(pushed)}.txt")
            push_by_hand(remote, {pushed[-1]: "theirs"})
        push(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(site_commit, "push", late)
    return pushed
