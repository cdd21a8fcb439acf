"""The site's files as a commit on top of a branch, pushed without force."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.errors import PublishError
from bench.publishing.destination import Destination
from bench.publishing.git import Git, GitFailed, scratch
from reports import paths
from reports.listing import NAME, Listing, decoded
from reports.writing import held

_TIP = "refs/bench/tip"
_NO_JEKYLL = ".nojekyll"
"""Without this file GitHub Pages runs the site through Jekyll, which drops some names."""
_UNFINISHED = re.compile(r"\..*\.new")
_MOVED = (
    "fetch first",
    "non-fast-forward",
    "stale info",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
)


@dataclass(frozen=True, slots=True)
class Published:
    """What was pushed, or would be: ``commit`` is ``None`` where nothing was."""

    commit: str | None
    added: int
    changed: int
    removed: int

    @property
    def differs(self) -> bool:
        """Whether the branch holds anything else than the site."""
        return bool(self.added or self.changed or self.removed)


class _Moved(Exception):
    """The branch was pushed to by somebody else meanwhile."""


class _Identity(NamedTuple):
    name: str
    email: str


def publish(
    site: Path, destination: Destination, user: Git, message: str, *, dry_run: bool
) -> Published:
    """Commit the site's files to the branch and push it.

    The site's own files on the branch, those its listing there names, are replaced; every other
    file stays. The user's repository is not touched.

    Raises:
        PublishError: there is no site, no identity, no such remote, or the push was refused.
    """
    if not (site / paths.INDEX).is_file():
        raise PublishError(f"{site} holds no site; `bench report` writes one")
    author, committer = (_identity(user, variable) for variable in ("AUTHOR", "COMMITTER"))
    people = {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
    }
    with scratch(user) as git:
        with held(site):
            blobs = _store(git, site)
        for last in (False, True):
            tip = _fetch(git, destination)
            tree = _tree(git, destination, blobs, tip)
            found = _differences(git, tip, tree)
            if dry_run or not found.differs:
                return found
            parent = () if tip is None else ("-p", tip)
            commit = git.run(
                "commit-tree", tree, *parent, "-F", "-", given=message.encode(), also=people
            )
            try:
                _push(git, destination, commit)
            except _Moved:
                if last:
                    raise PublishError(
                        f"{destination.shown} moved twice while this was being pushed; nothing was "
                        "overwritten. Publish again when whoever else pushes to it is done"
                    ) from None
            else:
                return Published(commit, found.added, found.changed, found.removed)
    raise AssertionError("the second attempt returns or raises")


def _store(git: Git, site: Path) -> dict[str, str]:
    """Store the site's files as blobs; their ids by path in the site."""
    found = {path.relative_to(site).as_posix(): path for path in _files(site)}
    for name in found:
        if "\n" in name:
            raise PublishError(f"the file {name!r} in {site} has a line end in its name; rename it")
    listed = "".join(f"{path.absolute()}\n" for path in found.values())
    ids = git.run(
        "hash-object",
        "-w",
        "--no-filters",
        "--stdin-paths",
        given=listed.encode("utf-8", "surrogateescape"),
    )
    return dict(zip(found, ids.split(), strict=True))


def _files(site: Path) -> Iterator[Path]:
    """Everything that belongs to be served: no links, nothing half written, no repository."""
    for path in sorted(site.rglob("*")):
        inside = path.relative_to(site)
        if path.is_symlink() or not path.is_file() or ".git" in inside.parts:
            continue
        if not _UNFINISHED.fullmatch(path.name):
            yield path


def _fetch(git: Git, destination: Destination) -> str | None:
    """The branch's tip, without its history; ``None`` where there is no such branch."""
    try:
        listed = git.run("ls-remote", destination.url, destination.ref)
        if not listed:
            return None
        depth = ("--quiet", "--depth=1", "--no-tags")
        git.run("fetch", *depth, destination.url, f"+{destination.ref}:{_TIP}")
    except GitFailed as error:
        raise PublishError(
            f"{destination.shown} cannot be reached: {error.said}; check the remote, and that git "
            "may read and write it (`git ls-remote` with the same URL)"
        ) from error
    return git.run("rev-parse", _TIP)


def _tree(git: Git, destination: Destination, blobs: Mapping[str, str], tip: str | None) -> str:
    """The branch's tree with the site's files in the place of those it had there."""
    git.run("read-tree", "--empty") if tip is None else git.run("read-tree", tip)
    kept = set() if tip is None else set(_names(git, tip))
    gone = {destination.within(path) for path in _listing(git, destination, tip).files}
    lines = [f"0 {'0' * 40}\t{path}" for path in sorted(gone & kept)]
    lines += [f"100644 {blob}\t{destination.within(path)}" for path, blob in blobs.items()]
    if _NO_JEKYLL not in kept:
        lines.append(f"100644 {git.run('hash-object', '-w', '--stdin')}\t{_NO_JEKYLL}")
    listed = "".join(f"{line}\0" for line in lines)
    git.run(
        "update-index",
        "--add",
        "--replace",
        "-z",
        "--index-info",
        given=listed.encode("utf-8", "surrogateescape"),
    )
    return git.run("write-tree")


def _names(git: Git, tip: str) -> list[str]:
    return git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", tip).split("\0")


def _listing(git: Git, destination: Destination, tip: str | None) -> Listing:
    """What an earlier site left on the branch."""
    if tip is None:
        return Listing()
    found = git.tells("cat-file", "blob", f"{tip}:{destination.within(NAME)}")
    try:
        return decoded(json.loads(found)) if found else Listing()
    except (ValueError, KeyError, TypeError, AttributeError):
        return Listing()


def _differences(git: Git, tip: str | None, tree: str) -> Published:
    before = tip or git.run("hash-object", "-t", "tree", "--stdin")
    listed = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", before, tree)
    kinds = Counter(listed.split("\0")[::2])
    return Published(None, kinds["A"], kinds["M"] + kinds["T"], kinds["D"])


def _push(git: Git, destination: Destination, commit: str) -> None:
    try:
        git.run("push", "--porcelain", destination.url, f"{commit}:{destination.ref}")
    except GitFailed as error:
        refused = [line for line in error.printed.splitlines() if line.startswith("!\t")]
        reason = refused[0].split("\t")[-1] if refused else ""
        if any(sign in reason for sign in _MOVED):
            raise _Moved from error
        raise PublishError(
            f"{destination.shown} was not updated: {reason or 'the push failed'}\n{error.said}\n"
            "Check that you may push there (a protected branch, a token without write access, a "
            "hook), or give another --branch"
        ) from error


def _identity(user: Git, who: str) -> _Identity:
    try:
        told = user.run("-c", "user.useConfigOnly=true", "var", f"GIT_{who}_IDENT")
    except GitFailed as error:
        raise PublishError(
            "git does not know who makes the commit; tell it with `git config --global user.name "
            "NAME` and `git config --global user.email ADDRESS`"
        ) from error
    name, _, rest = told.rpartition(" <")
    return _Identity(name, rest.partition(">")[0])
