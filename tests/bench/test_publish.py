"""The site as commits on a branch of a real repository: nothing lost, nothing forced."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from bench.errors import PublishError
from bench.publishing import publishing
from bench.publishing.destination import find_destination
from bench.publishing.git import here, without_credentials
from tests.bench.kinds import Bench

IDENTITY = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def remote(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty bare repository beside a workplace whose user has a name."""
    home = workplace / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    bare = workplace / "remote.git"
    git(workplace, "init", "--quiet", "--bare", str(bare))
    return bare


@pytest.fixture
def site(workplace: Path) -> Path:
    """A small folder that is a site, so that no run is needed."""
    return write(workplace / "site", {"index.html": "<p>1", "runs/a.html": "a"})


def write(folder: Path, files: dict[str, str]) -> Path:
    """A site of these files and the listing of them."""
    listed = {}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        listed[name] = [len(text), "0" * 64]
    listing = {"schema_version": 2, "files": listed, "parts": {}}
    (folder / "site-files.json").write_text(json.dumps(listing))
    return folder


def on_branch(remote: Path, branch: str = "gh-pages") -> dict[str, str]:
    names = git(remote, "ls-tree", "-r", "--name-only", branch).splitlines()
    return {name: git(remote, "show", f"{branch}:{name}") for name in names}


def push_by_hand(remote: Path, files: dict[str, str], branch: str = "gh-pages") -> None:
    """Somebody else's commit on top of the branch."""
    other = remote.parent / f"other-{len(list(remote.parent.iterdir()))}"
    git(remote.parent, "clone", "--quiet", str(remote), str(other))
    if git(remote, "branch", "--list", branch):
        git(other, "checkout", "--quiet", branch)
    else:
        git(other, "checkout", "--quiet", "--orphan", branch)
    for name, text in files.items():
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text(text)
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "by hand")
    git(other, "push", "--quiet", "origin", branch)


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


def test_files_of_others_on_the_branch_stay(bench: Bench, remote: Path, site: Path) -> None:
    push_by_hand(remote, {"CNAME": "board.example", "docs/guide.html": "guide"})
    assert bench("publish", "--remote", remote, "--no-report") == 0
    (site / "runs" / "a.html").unlink()
    write(site, {"index.html": "<p>2"})
    assert bench("publish", "--remote", remote, "--no-report") == 0
    found = on_branch(remote)
    assert (found["CNAME"], found["docs/guide.html"]) == ("board.example", "guide")
    assert "runs/a.html" not in found


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
    push = publishing._push

    def late(*given: object) -> None:
        if len(pushed) < times:
            pushed.append(f"theirs-{len(pushed)}.txt")
            push_by_hand(remote, {pushed[-1]: "theirs"})
        push(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "_push", late)
    return pushed


def test_a_protected_branch_is_named_with_the_servers_words(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert bench("publish", "--remote", remote, "--no-report") == 2
    said = capsys.readouterr().err
    assert "branch gh-pages" in said
    assert "pre-receive hook declined" in said
    assert "GH006: protected branch" in said
    assert "--branch" in said
    assert git(remote, "branch", "--list") == ""


def test_a_remote_that_is_not_there_is_named(
    bench: Bench, workplace: Path, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(workplace, "init", "--quiet")
    git(workplace, "remote", "add", "upstream", str(remote))
    assert bench("publish", "--remote", "upsteam", "--no-report") == 2
    assert "did you mean 'upstream'" in capsys.readouterr().err
    assert bench("publish", "--remote", workplace / "gone.git", "--no-report") == 2
    assert "cannot be reached" in capsys.readouterr().err
    assert bench("publish", "--remote", "--upload-pack=touch x", "--no-report") == 2


def test_no_message_shows_credentials(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = f"file://me:hunter2@/{remote}-gone"
    assert bench("publish", "--remote", secret, "--no-report") == 2
    said = capsys.readouterr()
    assert "cannot be reached" in said.err
    assert "hunter2" not in said.err + said.out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://x-access-token:t0ken@github.com/a/b", "https://github.com/a/b"),
        ("fatal: 'https://t0ken@host/': refused", "fatal: 'https://host/': refused"),
        ("git@github.com:a/b", "git@github.com:a/b"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_credentials_are_cut_out_of_urls(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_somebody_without_a_name_is_told_how_to_give_one(
    bench: Bench,
    remote: Path,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in IDENTITY:
        if name.endswith(("_NAME", "_EMAIL")):
            monkeypatch.delenv(name)
    assert bench("publish", "--remote", remote, "--no-report") == 2
    assert "git config --global user.email" in capsys.readouterr().err


def test_what_is_half_written_linked_or_a_repository_is_not_published(
    bench: Bench, workplace: Path, remote: Path, site: Path
) -> None:
    (site / ".index.html.77.new").write_text("half")
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    (site / "link.html").symlink_to(workplace / "bench.yaml")
    (site / "CNAME").write_text("board.example")
    assert bench("publish", "--remote", remote, "--no-report") == 0
    assert set(on_branch(remote)) == {
        ".nojekyll",
        "CNAME",
        "index.html",
        "runs/a.html",
        "site-files.json",
    }


def test_a_folder_without_a_site_is_refused(
    bench: Bench, workplace: Path, remote: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("publish", "--remote", remote, "--no-report", "--site", workplace / "none") == 2
    assert "`bench report` writes one" in capsys.readouterr().err


def test_the_configuration_names_the_destination(
    bench: Bench, workplace: Path, remote: Path, site: Path
) -> None:
    with (workplace / "bench.yaml").open("a") as file:
        file.write("publish: {remote: remote.git, branch: board, folder: here}\n")
    assert bench("publish", "--no-report") == 0
    assert on_branch(remote, "board")["here/index.html"] == "<p>1"


def test_the_users_repository_says_how_to_reach_its_remotes(
    bench: Bench, workplace: Path, remote: Path, site: Path
) -> None:
    git(workplace, "init", "--quiet")
    git(workplace, "config", f"url.{remote.parent}/.insteadOf", "https://board.example/")
    assert bench("publish", "--remote", "https://board.example/remote.git", "--no-report") == 0
    assert on_branch(remote)["index.html"] == "<p>1"


@pytest.mark.parametrize("branch", ["a..b", "-x", "", "x y"])
def test_a_name_that_no_branch_can_have_is_refused(workplace: Path, branch: str) -> None:
    with pytest.raises(PublishError, match="no name for a branch"):
        find_destination(here(workplace), str(workplace), branch, "")


@pytest.mark.parametrize("folder", ["../x", "/x", "a/.git/b"])
def test_a_folder_outside_the_branch_is_refused(workplace: Path, folder: str) -> None:
    with pytest.raises(PublishError, match="no folder within a branch"):
        find_destination(here(workplace), str(workplace), "b", folder)
