"""The git executable: commands in a scratch repository that acts with the user's own settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import PublishError

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]*@")
_PASSED_ON = ("core.askpass", "core.gitproxy", "core.sshcommand")
_PASSED_ON_SECTIONS = ("credential.", "http.", "https.", "protocol.", "ssh.", "url.")
"""How the user's repository reaches its remotes; a CI checkout keeps its token there."""


class GitFailed(PublishError):
    """git ended with an error; ``said`` is what it wrote, without credentials."""

    def __init__(self, words: tuple[str, ...], said: str, printed: str) -> None:
        self.said = said
        self.printed = printed
        super().__init__(f"git {words[0]} failed: {said or 'without a word'}")


@dataclass(frozen=True, slots=True)
class Git:
    """A folder to run git in, and the environment to run it with."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, given: bytes = b"", also: Mapping[str, str] | None = None) -> str:
        """What the command prints, stripped.

        Raises:
            GitFailed: it ended with an error.
            PublishError: there is no git.
        """
        try:
            done = subprocess.run(
                ["git", *words],
                cwd=self.folder,
                env={**self.environment, **(also or {})},
                input=given,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise PublishError("git is not installed; publishing to a branch needs it") from None
        printed = done.stdout.decode("utf-8", "surrogateescape").strip()
        if done.returncode:
            said = without_credentials(done.stderr.decode("utf-8", "replace").strip())
            raise GitFailed(words, said, without_credentials(printed))
        return printed

    def tells(self, *words: str) -> str | None:
        """What the command prints, or ``None`` where it ends with an error."""
        try:
            return self.run(*words)
        except GitFailed:
            return None


def here(folder: Path) -> Git:
    """Whatever repository ``folder`` is in, if any; only ever read."""
    return Git(folder, {**os.environ, "LC_ALL": "C"})


@contextmanager
def scratch(user: Git) -> Iterator[Git]:
    """An empty bare repository that is gone afterwards.

    It reaches remotes as ``user``'s repository does; nothing is written to that one, neither its
    index nor its working tree nor its objects.
    """
    local = set(user.run("rev-parse", "--local-env-vars").split())
    environment = {name: value for name, value in os.environ.items() if name not in local}
    settings = list(_passed_on(user))
    environment |= {"LC_ALL": "C", "GIT_CONFIG_COUNT": str(len(settings))}
    for at, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    if not sys.stdin.isatty():
        environment["GIT_TERMINAL_PROMPT"] = "0"  # an error is better than waiting for nobody
    with TemporaryDirectory(prefix="bench-publish-") as folder:
        git = Git(Path(folder), environment)
        git.run("init", "--quiet", "--bare", "--template=")
        yield git


def without_credentials(text: str) -> str:
    """``text`` without the user names and passwords of URLs in it."""
    return _CREDENTIALS.sub("", text)


def _passed_on(user: Git) -> Iterator[tuple[str, str]]:
    """The settings of the user's repository alone; git reads the user's other ones by itself."""
    listed = user.run("config", "--list", "--show-scope", "-z").split("\0")
    for scope, setting in zip(listed[::2], listed[1::2], strict=False):
        key, _, value = setting.partition("\n")
        known = key in _PASSED_ON or key.startswith(_PASSED_ON_SECTIONS)
        if known and scope in ("local", "worktree", "command"):
            yield key, value
