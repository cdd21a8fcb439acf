"""The site's files as a commit on top of a branch, pushed without force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bench.errors import PublishError
from bench.publishing.branch import Branch, BranchMovedError, fetch, push
from bench.publishing.destination import Destination
from bench.publishing.git import Git, GitFailed, scratch
from bench.publishing.site_files import published_files
from reports import paths
from reports.writing import held

_NO_JEKYLL = ".nojekyll"
"""Without this file GitHub Pages runs the site through Jekyll, which drops some names."""
_SHOWN = 3


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
        PublishError: there is no whole site, no identity, no such remote, a file of others on the
            branch is in the way, or the push was refused.
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
            blobs = _store(git, site, published_files(site))
        for last in (False, True):
            branch = fetch(git, destination)
            tree = _tree(git, destination, blobs, branch)
            found = _differences(git, branch.tip, tree)
            if dry_run or not found.differs:
                return found
            parent = () if branch.tip is None else ("-p", branch.tip)
            commit = git.run(
                "commit-tree", tree, *parent, "-F", "-", given=message.encode(), also=people
            )
            try:
                push(git, destination, commit)
            except BranchMovedError:
                if last:
                    raise PublishError(
                        f"{destination.shown} moved twice while this was being pushed; nothing was "
                        "overwritten. Publish again when whoever else pushes to it is done"
                    ) from None
            else:
                return Published(commit, found.added, found.changed, found.removed)
    raise AssertionError("the second attempt returns or raises")


def _store(git: Git, site: Path, files: list[str]) -> dict[str, str]:
    """Store the files as blobs; their ids by path in the site."""
    listed = "".join(f"{(site / path).absolute()}\n" for path in files)
    ids = git.run(
        "hash-object",
        "-w",
        "--no-filters",
        "--stdin-paths",
        given=listed.encode("utf-8", "surrogateescape"),
    )
    return dict(zip(files, ids.split(), strict=True))


def _tree(git: Git, destination: Destination, blobs: Mapping[str, str], branch: Branch) -> str:
    """The branch's tree with the site's files in the place of those it had there."""
    new = {destination.within(path): blob for path, blob in blobs.items()}
    if _NO_JEKYLL not in branch.others:
        new[_NO_JEKYLL] = git.run("hash-object", "-w", "--stdin")
    if foreign := _in_the_way(new, branch.others):
        more = f" and {len(foreign) - _SHOWN:,} more" if len(foreign) > _SHOWN else ""
        raise PublishError(
            f"{destination.shown} holds files of others where the site's would go: "
            f"{', '.join(map(repr, foreign[:_SHOWN]))}{more}. Nothing was pushed; remove them "
            "there, or give a --folder or --branch of the site's own"
        )
    git.run("read-tree", "--empty") if branch.tip is None else git.run("read-tree", branch.tip)
    lines = [f"0 {'0' * 40}\t{path}" for path in sorted(branch.own)]
    lines += [f"100644 {blob}\t{path}" for path, blob in new.items()]
    listed = "".join(f"{line}\0" for line in lines)
    git.run(
        "update-index", "--add", "-z", "--index-info", given=listed.encode(errors="surrogateescape")
    )
    return git.run("write-tree")


def _in_the_way(new: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Files of others with the path of a new one but other bytes, or where one needs a folder."""
    differing = {path for path, blob in new.items() if others.get(path, blob) != blob}
    folders = {folder for path in new for folder in _folders(path)}
    within = {path for path in others if not new.keys().isdisjoint(_folders(path))}
    return sorted(differing | (folders & others.keys()) | within)


def _folders(path: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(path).parents]


def _differences(git: Git, tip: str | None, tree: str) -> Published:
    before = tip or git.run("hash-object", "-t", "tree", "--stdin")
    listed = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", before, tree)
    kinds = Counter(listed.split("\0")[::2])
    return Published(None, kinds["A"], kinds["M"] + kinds["T"], kinds["D"])


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
