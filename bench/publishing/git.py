"""The git executable: commands in a scratch repository that acts with the user's own settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    environment["LC_ALL"] = "C"
    if not sys.stdin.isatty():
        environment["GIT_TERMINAL_PROMPT"] = "0"  # an error is better than waiting for nobody
    with TemporaryDirectory(prefix="bench-publish-") as folder:
        git = Git(Path(folder), environment)
        git.run("init", "--quiet", "--bare", "--template=")
        yield Git(git.folder, environment | _passed_on(_settings(user), _settings(git)))


def without_credentials(text: str) -> str:
    """``text`` without the user names and passwords of URLs in it."""
    return _CREDENTIALS.sub("", text)


def _passed_on(
    settings: Sequence[tuple[str, str]], known: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """The environment that gives git ``settings`` on top of those it has read by itself.

    None is given twice: a header that is sent twice is refused by servers.
    """
    left = Counter(known)
    environment: dict[str, str] = {}
    count = 0
    for key, value in settings:
        if left[key, value]:
            left[key, value] -= 1
        else:
            environment |= {f"GIT_CONFIG_KEY_{count}": key, f"GIT_CONFIG_VALUE_{count}": value}
            count += 1
    return environment | {"GIT_CONFIG_COUNT": str(count)}


def _settings(git: Git) -> list[tuple[str, str]]:
    """How git reaches remotes from its folder, whichever file says so, the last word last."""
    listed = (setting.partition("\n") for setting in git.run("config", "--list", "-z").split("\0"))
    return [
        (key, value if given else "true")
        for key, given, value in listed
        if key in _PASSED_ON or key.startswith(_PASSED_ON_SECTIONS)
    ]
