"""A site to publish, an empty repository to publish it to, and what others push there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

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
