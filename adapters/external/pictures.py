"""Pictures as files, as workers need them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.interface import RegionQuery


class PictureFiles:
    """Gives every picture a path; those that have no file are written as PNG for a while."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @contextmanager
    def file(self, query: RegionQuery, number: int) -> Iterator[Path]:
        """Absolute path of a query's picture, good inside the block; ``number`` is unique."""
        if query.image_path is not None and query.image_path.is_file():
            yield query.image_path.absolute()
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="regionbench-pictures-")
        path = Path(self._folder.name) / f"{number}.png"
        query.image.save(path, compress_level=1)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
