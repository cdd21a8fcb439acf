"""The site as commits on a branch of a real repository: nothing lost, nothing forced."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import PublishError
from bench.publishing import branch, site_commit
from bench.publishing.destination import find_destination
from bench.publishing.git import here, scratch, without_credentials
from reports.writing import write_folder
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
    push = branch.push

    def late(*given: object) -> None:
        if len(pushed) < times:
            pushed.append(f"theirs-{len(pushed)}.txt")
            push_by_hand(remote, {pushed[-1]: "theirs"})
        push(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(site_commit, "push", late)
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


def test_a_conditional_part_of_the_users_settings_applies(
    bench: Bench, workplace: Path, remote: Path, site: Path
) -> None:
    git(workplace, "init", "--quiet")
    work = workplace / "home" / "work.gitconfig"
    git(workplace, "config", "--file", str(work), f"url.{remote.parent}/.insteadOf", "work:")
    condition = f"includeIf.gitdir:{workplace.resolve()}/.path"
    git(workplace, "config", "--global", condition, str(work))
    assert bench("publish", "--remote", "work:remote.git", "--no-report") == 0
    assert on_branch(remote)["index.html"] == "<p>1"


def test_every_setting_is_given_to_git_once_and_the_last_word_is_the_same(
    workplace: Path, remote: Path
) -> None:
    git(workplace, "init", "--quiet")
    git(workplace, "config", "--global", "http.extraHeader", "X-One: 1")
    git(workplace, "config", "--global", "core.sshCommand", "ssh -i home")
    git(workplace, "config", "--add", "http.extraHeader", "X-Two: 2")
    git(workplace, "config", "core.sshCommand", "ssh -i here")
    with (workplace / ".git" / "config").open("a") as file:
        file.write("[http]\n\tsslVerify\n")  # without a value it is true
    with scratch(here(workplace)) as found:
        assert found.run("config", "--get-all", "http.extraHeader") == "X-One: 1\nX-Two: 2"
        assert found.run("config", "core.sshCommand") == "ssh -i here"
        assert found.run("config", "--type=bool", "http.sslVerify") == "true"


def test_a_branch_may_be_given_by_its_full_name(bench: Bench, remote: Path, site: Path) -> None:
    words = ("publish", "--remote", remote, "--branch", "refs/heads/board", "--no-report")
    assert bench(*words) == 0
    assert git(remote, "for-each-ref", "--format=%(refname)") == "refs/heads/board"


@pytest.mark.parametrize("elsewhere", ["~nosuch/board.git", "~nosuch", "x" * 300])
def test_a_path_that_no_file_system_has_is_a_remote_that_is_not_there(
    bench: Bench, remote: Path, site: Path, capsys: pytest.CaptureFixture[str], elsewhere: str
) -> None:
    assert bench("publish", "--remote", elsewhere, "--no-report") == 2
    assert "internal error" not in capsys.readouterr().err


@pytest.mark.parametrize("branch", ["a..b", "-x", "", "x y", "refs/tags/v1", "refs/heads/"])
def test_a_name_that_no_branch_can_have_is_refused(workplace: Path, branch: str) -> None:
    with pytest.raises(PublishError, match="no name for a branch"):
        find_destination(here(workplace), str(workplace), branch, "")


@pytest.mark.parametrize("folder", ["../x", "/x", "a/.git/b"])
def test_a_folder_outside_the_branch_is_refused(workplace: Path, folder: str) -> None:
    with pytest.raises(PublishError, match="no folder within a branch"):
        find_destination(here(workplace), str(workplace), "b", folder)
