"""Writing a folder of files so that only what changed is touched."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from reports.frames import ReportError
from reports.listing import NAME, Listing, Part, Written, note, note_alone, noted, read_listing


def write_folder(
    folder: Path, contents: Iterable[tuple[str, bytes]], *, only: tuple[str, ...] = ("",)
) -> None:
    """Make ``folder`` hold ``contents`` (POSIX path → bytes) beside whatever else lies there.

    Every file is replaced atomically, and only when its bytes differ. ``contents`` are all files
    whose path begins with one of ``only``; others that an earlier call wrote stay.

    Raises:
        ReportError: the folder or a file in it cannot be written.
    """
    with writing(folder, only=only) as site:
        for path, content in contents:
            site.put(path, content)


@contextmanager
def writing(folder: Path, *, only: tuple[str, ...] = ("",)) -> Iterator[SiteWriter]:
    """Write files to ``folder``, then remove those of earlier calls that were not written again.

    Only files whose path begins with one of ``only`` are removed. Where another process is
    writing the folder, this one waits: the folder then is of one piece. After an error nothing is
    removed; what was written until then, even by a process that was killed, is noted in the
    folder, and the next call keeps or removes it like any other file of an earlier call.

    Raises:
        ReportError: the folder or a file in it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder) as descriptor:
            site = SiteWriter(folder, descriptor)
            yield site
            site.close(only)
    except OSError as error:
        raise ReportError(
            f"the site cannot be written to {folder}: {error}; give a folder you may write to"
        ) from error


class SiteWriter:
    """Writes to a site's folder; only :func:`writing` makes one."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor
        self._before = read_listing(folder)
        self._unlisted = _unlisted(folder, self._before)
        self._files: dict[str, Written | None] = {}
        self._parts: dict[str, Part] = {}
        self._listed_at = 0
        with suppress(OSError):
            self._listed_at = (folder / NAME).stat().st_mtime_ns

    def put(self, path: str, content: bytes) -> None:
        """Write one file."""
        self._files[path] = put_file(self.folder, path, content)

    def below(self, folder: str) -> tuple[str, ...]:
        """The files of earlier calls whose path begins so, sorted."""
        return tuple(sorted(path for path in self._before.files if path.startswith(folder)))

    def leave(self, paths: Iterable[str]) -> None:
        """Keep files of earlier calls as they lie there."""
        self._files |= {path: self._before.files[path] for path in paths}

    def keep(self, part: str, made_from: str) -> bool:
        """Whether an earlier call made this part from the same; its files then stay as they are.

        A file counts as it was written where it has its size and is older than the listing. A
        newer one is read: somebody may have changed it.
        """
        known = self._before.parts.get(part)
        if known is None or not made_from or known.made_from != made_from:
            return False
        if not all(self._as_written(path) for path in known.files):
            return False
        self._parts[part] = known
        self._files |= {path: self._before.files[path] for path in known.files}
        return True

    def made(self, part: str, made_from: str, files: Mapping[str, Written]) -> None:
        """Note a part whose files were written by :func:`put_file`; "" is made anew each time."""
        self._files |= files
        if made_from:
            self._parts[part] = Part(made_from, tuple(sorted(files)))

    def close(self, only: tuple[str, ...]) -> None:
        """Remove what is no longer of the site, and write the listing."""
        before = self._before
        others = {
            path: written for path, written in before.files.items() if not path.startswith(only)
        }
        files = others | self._files
        unknown = {path for path in self._unlisted - set(files) if not path.startswith(only)}
        for path in sorted((set(before.files) | self._unlisted) - set(files) - unknown):
            _remove(self.folder, path)
        kept = {
            name: part
            for name, part in before.parts.items()
            if all(path in others for path in part.files)
        }
        put_file(self.folder, NAME, Listing(files, kept | self._parts).encoded())
        note_alone(self.folder, sorted(unknown))

    def _as_written(self, path: str) -> bool:
        written = self._before.files[path]
        try:  # of thousands of files: the kernel looks from the folder on, and no path is built
            found = os.stat(path, dir_fd=self._descriptor)
        except OSError:
            return False
        if written is None or not S_ISREG(found.st_mode) or found.st_size != written.size:
            return False
        if found.st_mtime_ns < self._listed_at:
            return True
        return Written.of((self.folder / path).read_bytes()) == written


def put_file(folder: Path, path: str, content: bytes) -> Written:
    """Replace one file of ``folder`` atomically, where its bytes differ, noting that first."""
    place = folder / path
    if not _holds(place, content):
        note(folder, path)
        fresh = place.with_name(f".{place.name}.{os.getpid()}.new")
        try:
            _write(fresh, content)
            fresh.replace(place)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    return Written.of(content)


def _holds(place: Path, content: bytes) -> bool:
    try:
        found = place.stat()
        if not S_ISREG(found.st_mode) or found.st_size != len(content):
            return False
        return place.read_bytes() == content
    except OSError:
        return False


def _write(place: Path, content: bytes) -> None:
    """Write a new file; its folder, which most often is there, is made where it is not."""
    try:
        place.write_bytes(content)
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _unlisted(folder: Path, listed: Listing) -> set[str]:
    """What a call that did not end wrote beside what is listed; half-written files are removed."""
    found = set(noted(folder))
    for path in found:
        place = folder / path
        for left in place.parent.glob(f".{escape(place.name)}.*.new"):
            left.unlink(missing_ok=True)
    return found - set(listed.files) - {NAME}


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Hold the folder against other processes that write it; no file is left behind by it.

    Yields:
        A descriptor of the folder.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # A file system that cannot lock folders leaves atomic replacement: the last build wins.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(folder: Path, path: str) -> None:
    (folder / path).unlink(missing_ok=True)
    for parent in PurePosixPath(path).parents:
        here = folder / parent
        if parent.name and here.is_dir() and not any(here.iterdir()):
            here.rmdir()
