"""The site as commits on a branch of a real repository: what of it is published, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.writing import write_folder
from tests.bench.kinds import Bench
from tests.bench.published_sites import git, on_branch, remote, site, write

__all__ = ["remote", "site"]


def test_runs_become_a_board_on_the_branch(bench: Bench, workplace: Path, remote: Path) -> None:
    assert bench("run", "--model", "one", "--no-report") == 0
    assert not (workplace / "site").exists()
    assert bench("publish", "--remote", remote, "--message", "First board") == 0
    published = on_branch(remote)
    written = {
        path.relative_to(workplace / "site").as_posix()
        for path in (workplace / "site").rglob("*")
        if path.is_file()
    }
    assert set(published) == written | {".nojekyll"}
    assert (workplace / "site" / "index.html").read_text().strip() == published["index.html"]
    assert git(remote, "log", "--format=%an <%ae>: %s", "gh-pages") == (
        "Ada <ada@example.invalid>: First board"
    )


def test_a_second_board_is_a_second_commit_and_the_same_board_is_none(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("publish", "--remote", remote, "--no-report")
    assert bench(*words) == 0
    (site / "runs" / "a.html").unlink()
    write(site, {"index.html": "<p>2", "runs/b.html": "b"})
    capsys.readouterr()
    assert bench(*words) == 0
    assert "1 added, 2 changed, 1 removed" in capsys.readouterr().out
    assert set(on_branch(remote)) == {".nojekyll", "index.html", "runs/b.html", "site-files.json"}
    assert git(remote, "rev-list", "--count", "gh-pages") == "2"
    assert bench(*words) == 0
    assert "nothing to publish" in capsys.readouterr().out
    assert git(remote, "rev-list", "--count", "gh-pages") == "2"


def test_a_file_of_ours_may_become_a_folder_and_back(
    bench: Bench, remote: Path, site: Path
) -> None:
    (site / "runs" / "a.html").unlink()
    for files in ({"one": "1"}, {"one/two": "2"}, {"one": "3"}):
        for path in (site / "one" / "two", site / "one"):
            if path.is_file():
                path.unlink()
        if (site / "one").is_dir():
            (site / "one").rmdir()
        write(site, {"index.html": "<p>1", **files})
        assert bench("publish", "--remote", remote, "--no-report") == 0
        ours = {".nojekyll", "index.html", "site-files.json"}
        found = on_branch(remote)
        assert {name: text for name, text in found.items() if name not in ours} == files


def test_a_dry_run_tells_and_pushes_nothing(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("publish", "--remote", remote, "--no-report", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["commit"], told["added"], told["removed"]) == (None, 4, 0)
    assert git(remote, "branch", "--list") == ""


def test_the_users_repository_is_not_touched(
    bench: Bench, workplace: Path, remote: Path, site: Path
) -> None:
    git(workplace, "init", "--quiet", "--initial-branch", "main")
    git(workplace, "remote", "add", "origin", "remote.git")
    git(workplace, "add", "bench.yaml")
    git(workplace, "commit", "--quiet", "--message", "mine")
    (workplace / "staged.txt").write_text("staged")
    git(workplace, "add", "staged.txt")

    def state() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in (workplace / ".git").rglob("*")
            if path.is_file()
        }

    before = state()
    assert bench("publish", "--no-report") == 0  # to origin, whose relative path starts here
    assert state() == before
    assert on_branch(remote)["index.html"] == "<p>1"


def test_only_the_sites_files_and_a_domain_are_published(
    bench: Bench, workplace: Path, remote: Path, site: Path
) -> None:
    (site / ".index.html.77.new").write_text("half")
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    (site / "link.html").symlink_to(workplace / "bench.yaml")
    (site / "pictures").mkdir()
    (site / "pictures" / "left-by-a-stopped-build.jpg").write_text("not to be shown")
    (site / "notes.html").write_text("my own")
    (site / "CNAME").write_text("board.example")
    assert bench("publish", "--remote", remote, "--no-report") == 0
    assert set(on_branch(remote)) == {
        ".nojekyll",
        "CNAME",
        "index.html",
        "runs/a.html",
        "site-files.json",
    }
    (site / "CNAME").unlink()
    assert bench("publish", "--remote", remote, "--no-report") == 0
    assert on_branch(remote)["CNAME"] == "board.example"


@pytest.mark.parametrize("linked", ["runs/a.html", "runs", "site-files.json"])
def test_a_listed_file_behind_a_link_is_not_published(
    bench: Bench, workplace: Path, remote: Path, site: Path, linked: str
) -> None:
    (site / linked).rename(workplace / "elsewhere")
    (site / linked).symlink_to(workplace / "elsewhere")
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert git(remote, "branch", "--list") == ""


def test_a_site_that_lacks_a_file_is_refused(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "runs" / "a.html").unlink()
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "such as 'runs/a.html'; `bench report` makes them again" in capsys.readouterr().err
    assert git(remote, "branch", "--list") == ""


@pytest.mark.parametrize("listing", [None, "", "{}", '{"files": [], "parts": {}}'])
def test_a_folder_that_nobody_listed_is_refused(
    bench: Bench,
    remote: Path,
    site: Path,
    capsys: pytest.CaptureFixture[str],
    listing: str | None,
) -> None:
    (site / "site-files.json").unlink()
    if listing is not None:
        (site / "site-files.json").write_text(listing)
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "site-files.json there is missing or damaged" in capsys.readouterr().err
    assert git(remote, "branch", "--list") == ""


def test_a_build_that_did_not_end_is_not_published(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"<p>2"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(site, stopped())
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "did not end; `bench report` finishes it" in capsys.readouterr().err
    write_folder(site, [("index.html", b"<p>3")])
    assert bench("publish", "--remote", remote, "--no-report") == 0
    assert set(on_branch(remote)) == {".nojekyll", "index.html", "site-files.json"}


def test_nothing_that_is_published_names_the_machine(
    bench: Bench, workplace: Path, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "machine-of-ada")
    assert bench("run", "--model", "one", "--no-report") == 0
    (manifest,) = workplace.glob("runs/*/one/*/run.json")
    assert "machine-of-ada" in manifest.read_text()
    assert bench("publish", "--remote", remote) == 0
    found = on_branch(remote)
    assert any(name.startswith("runs/") for name in found)
    assert [name for name, text in found.items() if "machine-of-ada" in text] == []


def test_without_runs_the_published_board_stays(
    bench: Bench, workplace: Path, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("publish", "--remote", remote, "--no-report") == 0
    before = on_branch(remote)
    assert bench("publish", "--remote", remote) == 3
    said = capsys.readouterr().err
    assert f"no run is stored under {workplace / 'runs'}" in said
    assert "--no-report" in said
    assert on_branch(remote) == before
    assert (site / "index.html").read_text() == "<p>1"


def test_a_folder_without_a_site_is_refused(
    bench: Bench, workplace: Path, remote: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("publish", "--remote", remote, "--no-report", "--site", workplace / "none") == 2
    assert "`bench report` writes one" in capsys.readouterr().err
