"""Where a site is published to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters.interface import suggestion
from bench.errors import PublishError
from bench.publishing.git import Git, without_credentials

_BRANCHES = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Destination:
    """A branch of a remote, and the folder of it that is the site; "" is the branch's root.

    ``url`` may hold credentials, ``shown`` does not.
    """

    url: str
    branch: str
    folder: str

    @property
    def shown(self) -> str:
        """What to call it in messages."""
        inside = f", folder {self.folder}" if self.folder else ""
        return f"branch {self.branch} of {without_credentials(self.url)}{inside}"

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"{_BRANCHES}{self.branch}"

    def within(self, path: str) -> str:
        """The branch's path of a file of the site."""
        return f"{self.folder}/{path}" if self.folder else path


def find_destination(user: Git, remote: str, branch: str, folder: str) -> Destination:
    """The destination that the options or the configuration name.

    Args:
        user: where remotes are looked up by name, and relative paths start.
        remote: a remote's name, a URL, or a repository's path.
        branch: its short or full name; made when it is not there.
        folder: of the branch; "" or "." is its root.

    Raises:
        PublishError: one of them cannot be used.
    """
    name = branch.removeprefix(_BRANCHES)
    if name.startswith(("-", "refs/")) or user.tells("check-ref-format", _BRANCHES + name) is None:
        raise PublishError(f"{branch!r} is no name for a branch; give another --branch")
    return Destination(_url(user, remote), name, _folder(folder))


def _url(user: Git, remote: str) -> str:
    if remote.startswith("-") or not remote:
        raise PublishError(f"{remote!r} is no remote; give its name, a URL, or a path as --remote")
    names = (user.tells("remote") or "").split()
    if remote in names:
        found = user.run("remote", "get-url", "--push", remote)
        top = user.tells("rev-parse", "--show-toplevel")
        return _located(found, Path(top) if top else user.folder)
    if not any(mark in remote for mark in ":/\\") and _path(remote, user.folder) is None:
        known = ", ".join(names) or "none"
        raise PublishError(
            f"no remote is called {remote!r}{suggestion(remote, names)}; there are here: {known}. "
            "Give a name, a URL, or a repository's path as --remote"
        )
    return _located(remote, user.folder)


def _located(url: str, start: Path) -> str:
    """A path as an absolute one; URLs as they are."""
    path = None if "://" in url else _path(url, start)
    return url if path is None else str(path)


def _path(given: str, start: Path) -> Path | None:
    try:
        path = start / Path(given).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # nothing in a file system is called that
        return None


def _folder(given: str) -> str:
    parts = PurePosixPath(given).parts
    if given.startswith("/") or any(p in ("..", ".git") or "\n" in p for p in parts):
        raise PublishError(
            f"--folder {given!r} is no folder within a branch; give one such as docs or docs/board"
        )
    return "/".join(parts)
