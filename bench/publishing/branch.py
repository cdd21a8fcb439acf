"""A branch of a remote: what it holds, and pushing a commit to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.errors import PublishError
from bench.publishing.destination import Destination
from bench.publishing.git import Git, GitFailed
from reports.listing import NAME, Listing, decoded

_TIP = "refs/bench/tip"
_PLAIN_FILES = ("100644", "100755")
_MOVED = (
    "fetch first",
    "non-fast-forward",
    "stale info",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
)


class BranchMovedError(Exception):
    """Somebody else pushed to the branch meanwhile."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The branch as it was fetched; ``tip`` is ``None`` where there is none of this name.

    ``own`` are the files there that the site's listing there names, and the listing. ``others``
    are all else: the blob of each plain file, and "" for a link or another repository.
    """

    tip: str | None = None
    own: frozenset[str] = frozenset()
    others: Mapping[str, str] = field(default_factory=dict)


def fetch(git: Git, destination: Destination) -> Branch:
    """What the branch holds, without its history.

    Raises:
        PublishError: the remote cannot be reached.
    """
    try:
        listed = git.run("ls-remote", destination.url, destination.ref)
        if not listed:
            return Branch()
        depth = ("--quiet", "--depth=1", "--no-tags")
        git.run("fetch", *depth, destination.url, f"+{destination.ref}:{_TIP}")
    except GitFailed as error:
        raise PublishError(
            f"{destination.shown} cannot be reached: {error.said}; check the remote, and that git "
            "may read and write it (`git ls-remote` with the same URL)"
        ) from error
    tip = git.run("rev-parse", _TIP)
    files = dict(_files(git, tip))
    listing = _listing(git, tip, destination.within(NAME))
    named = () if listing is None else (*listing.files, NAME)
    own = frozenset(destination.within(path) for path in named) & files.keys()
    return Branch(tip, own, {path: blob for path, blob in files.items() if path not in own})


def push(git: Git, destination: Destination, commit: str) -> None:
    """Make the commit the branch's tip, if it follows what is there.

    Raises:
        BranchMovedError: it does not.
        PublishError: it was refused for any other reason.
    """
    try:
        git.run("push", "--porcelain", destination.url, f"{commit}:{destination.ref}")
    except GitFailed as error:
        refused = [line for line in error.printed.splitlines() if line.startswith("!\t")]
        reason = refused[0].split("\t")[-1] if refused else ""
        if any(sign in reason for sign in _MOVED):
            raise BranchMovedError from error
        raise PublishError(
            f"{destination.shown} was not updated: {reason or 'the push failed'}\n{error.said}\n"
            "Check that you may push there (a protected branch, a token without write access, a "
            "hook), or give another --branch"
        ) from error


def _files(git: Git, tip: str) -> Iterator[tuple[str, str]]:
    for line in git.run("ls-tree", "-r", "-z", "--full-tree", tip).split("\0"):
        if line:
            about, _, path = line.partition("\t")
            mode, _, blob = about.split(" ")
            yield path, blob if mode in _PLAIN_FILES else ""


def _listing(git: Git, tip: str, path: str) -> Listing | None:
    """What an earlier site left on the branch; ``None`` where nothing says so."""
    found = git.tells("cat-file", "blob", f"{tip}:{path}")
    try:
        return decoded(json.loads(found)) if found else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
