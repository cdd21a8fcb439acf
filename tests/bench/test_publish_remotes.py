"""Where the site is published to, as whom, and what is said where that does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import PublishError
from bench.publishing.destination import find_destination
from bench.publishing.git import here, scratch, without_credentials
from tests.bench.kinds import Bench
from tests.bench.published_sites import IDENTITY, git, on_branch, remote, site

__all__ = ["remote", "site"]


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
