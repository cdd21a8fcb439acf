"""Thumbnails and outlines kept in the cache: made once, then there without the suite's data."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.atomic import write_bytes, write_json
from bench.errors import StoreError

if TYPE_CHECKING:
    from reports.frames import Picture

VERSION = 1
CHUNK = 256
_FOLDER = "pictures"
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class SuiteNotes:
    """What the suite's card says about its pictures."""

    show_pictures: bool
    licence: str


@dataclass(frozen=True, slots=True)
class PictureCache:
    """The pictures of one suite digest; ``shown`` ones with their pixels, others without."""

    folder: Path

    @classmethod
    def of(cls, cache: Path, suite_digest: str) -> PictureCache:
        """The suite's part of the cache folder, whether it is there or not."""
        return cls(cache / _FOLDER / f"{suite_digest[:_DIGITS]}-{VERSION}")

    def notes(self) -> SuiteNotes | None:
        """What the card said when the pictures were made."""
        try:
            values = json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
            return SuiteNotes(bool(values["show_pictures"]), str(values["licence"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_notes(self, notes: SuiteNotes) -> None:
        """Keep what the card says.

        Raises:
            StoreError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {"show_pictures": notes.show_pictures, "licence": notes.licence}
        write_json(self.folder / "card.json", values)

    def has(self, images: int, *, shown: bool) -> bool:
        """Whether the suite's first ``images`` pictures are there."""
        return all(self._path(start, images, shown).is_file() for start in range(0, images, CHUNK))

    def lacking(self, images: int, *, shown: bool) -> list[range]:
        """The chunks of the first ``images`` pictures that have to be made."""
        return [
            range(start, min(start + CHUNK, images))
            for start in range(0, images, CHUNK)
            if not self._path(start, images, shown).is_file()
        ]

    def write(self, chunk: range, pictures: list[Picture], *, shown: bool) -> None:
        """Keep the pictures of one chunk.

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
        write_bytes(self._path(chunk.start, chunk.stop, shown), target.getvalue())

    def read(self, images: int, *, shown: bool) -> Iterator[Picture]:
        """The suite's first ``images`` pictures, a chunk in memory at a time.

        Raises:
            StoreError: a chunk is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from reports.frames import Picture

        for start in range(0, images, CHUNK):
            path = self._path(start, images, shown)
            try:
                rows = pq.read_table(path, partitioning=None).to_pylist()
            except (OSError, pa.ArrowException) as error:
                raise StoreError(
                    f"{path} is damaged ({error}); delete it, and `bench report` makes it anew"
                ) from error
            for row in rows:
                outlines = dict(zip(row["regions"], row["outlines"], strict=True))
                yield Picture(row["image_id"], row["width"], row["height"], row["jpeg"], outlines)

    def _path(self, start: int, images: int, shown: bool) -> Path:
        kind = "shown" if shown else "outlines"
        return self.folder / f"{kind}-{start:06d}-{min(start + CHUNK, images):06d}.parquet"
