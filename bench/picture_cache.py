"""Thumbnails and outlines kept in the cache: made once, then there without the suite's data."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.atomic import write_bytes, write_json
from bench.errors import StoreError

if TYPE_CHECKING:
    from reports.frames import Picture

CHUNK = 256
_FOLDER = "pictures"
_DIGITS = 20
_MAKERS = (("bench", "picture_cache.py"), ("bench", "thumbnails.py"), ("reports", "outlines.py"))
"""The code that pictures are made by; what other code has made is made anew."""


@dataclass(frozen=True, slots=True)
class SuiteNotes:
    """What the suite's card says about its pictures; ``asked`` stands for the card's code."""

    show_pictures: bool
    licence: str
    asked: str


class _Held(NamedTuple):
    """How many pictures a chunk's file holds, and how many of them without pixels."""

    pictures: int
    unread: int


@dataclass(frozen=True, slots=True)
class PictureCache:
    """The pictures of one suite digest; ``shown`` ones with their pixels, others without.

    A chunk's file holds its first pictures, as many as were asked for so far.
    """

    folder: Path

    @classmethod
    def of(cls, cache: Path, suite_digest: str) -> PictureCache:
        """The suite's part of the cache folder, whether it is there or not."""
        return cls(cache / _FOLDER / f"{suite_digest[:_DIGITS]}-{_made_by()}")

    def notes(self) -> SuiteNotes | None:
        """What the card said when it was asked last."""
        try:
            values = json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
            return SuiteNotes(
                bool(values["show_pictures"]), str(values["licence"]), str(values["asked"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_notes(self, notes: SuiteNotes) -> None:
        """Keep what the card says, and remove pictures that other code has made.

        Raises:
            StoreError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {
            "show_pictures": notes.show_pictures,
            "licence": notes.licence,
            "asked": notes.asked,
        }
        write_json(self.folder / "card.json", values)
        digest = self.folder.name.partition("-")[0]
        for other in self.folder.parent.glob(f"{digest}-*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def has(self, images: int, *, shown: bool) -> bool:
        """Whether there are the suite's first ``images`` pictures, or that they cannot be read.

        Raises:
            StoreError: a chunk is damaged.
        """
        return all(self._held(chunk, shown).pictures >= len(chunk) for chunk in chunks(images))

    def lacking(self, images: int, *, shown: bool) -> list[range]:
        """The chunks of them that are not there whole, or hold some that could not be read.

        Raises:
            StoreError: a chunk is damaged.
        """
        held = {chunk: self._held(chunk, shown) for chunk in chunks(images)}
        return [
            chunk
            for chunk, found in held.items()
            if found.pictures < len(chunk) or (shown and found.unread)
        ]

    def digest(self, images: int, *, shown: bool) -> str:
        """Digest of the files that hold them."""
        digest = hashlib.sha256()
        for chunk in chunks(images):
            digest.update(hashlib.sha256(self._path(chunk, shown).read_bytes()).digest())
        return digest.hexdigest()

    def chunk(self, chunk: range, *, shown: bool) -> list[Picture]:
        """What there is of a chunk's pictures, from its first on.

        Raises:
            StoreError: the file is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from reports.frames import Picture

        path = self._path(chunk, shown)
        if not path.is_file():
            return []
        try:
            rows = pq.read_table(path, partitioning=None).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise _damaged(path, error) from error
        return [
            Picture(
                row["image_id"],
                row["width"],
                row["height"],
                row["jpeg"],
                dict(zip(row["regions"], row["outlines"], strict=True)),
            )
            for row in rows
        ]

    def write(self, chunk: range, pictures: Sequence[Picture], *, shown: bool) -> None:
        """Keep the pictures of one chunk in place of those there were.

        Raises:
            StoreError: the folder cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table(
            {
                "image_id": [picture.image_id for picture in pictures],
                "width": pa.array([picture.width for picture in pictures], pa.int32()),
                "height": pa.array([picture.height for picture in pictures], pa.int32()),
                "jpeg": pa.array([picture.jpeg for picture in pictures], pa.binary()),
                "regions": [list(picture.outlines) for picture in pictures],
                "outlines": [list(picture.outlines.values()) for picture in pictures],
            }
        )
        target = io.BytesIO()
        pq.write_table(table, target)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self._path(chunk, shown), target.getvalue())

    def read(self, images: int, *, shown: bool) -> Iterator[Picture]:
        """The suite's first ``images`` pictures, a chunk in memory at a time.

        Raises:
            StoreError: a chunk is damaged.
        """
        for chunk in chunks(images):
            yield from self.chunk(chunk, shown=shown)[: len(chunk)]

    def _held(self, chunk: range, shown: bool) -> _Held:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._path(chunk, shown)
        if not path.is_file():
            return _Held(0, 0)
        try:
            found = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(path, error) from error
        groups = [found.row_group(at) for at in range(found.num_row_groups)]
        jpeg = found.schema.names.index("jpeg")
        return _Held(
            found.num_rows, sum(group.column(jpeg).statistics.null_count for group in groups)
        )

    def _path(self, chunk: range, shown: bool) -> Path:
        kind = "shown" if shown else "outlines"
        return self.folder / f"{kind}-{chunk.start:06d}.parquet"


def chunks(images: int) -> list[range]:
    """The places of a suite's first ``images`` pictures, so many as are kept in one file."""
    return [range(start, min(start + CHUNK, images)) for start in range(0, images, CHUNK)]


@cache
def _made_by() -> str:
    digest = hashlib.sha256()
    for package, name in _MAKERS:
        digest.update(files(package).joinpath(name).read_bytes())
    return digest.hexdigest()[:8]


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(f"{path} is damaged ({error}); delete it, and `bench report` makes it anew")
