"""Pictures as files, as workers need them."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import PIL.Image

from adapters.interface import RegionQuery

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB = (8, 2, 0, 0, 0)  # bits a sample, colour type, and what PNG has one kind of


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
        write_png(query.image, path)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def write_png(image: PIL.Image.Image, path: Path) -> None:
    """Write a picture for one reader: at once, neither filtered nor compressed.

    Efficiency sweeps count the time as the model's, and Pillow looks for each row's best filter
    even where it does not compress.
    """
    if image.mode != "RGB":
        image.save(path, compress_level=1)
        return
    width, height = image.size
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # a row begins with its filter, none
    rows[:, 1:] = np.asarray(image).reshape(height, 3 * width)
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        for kind, content in (
            (b"IHDR", struct.pack(">II5B", width, height, *_RGB)),
            (b"IDAT", zlib.compress(rows.data, 0)),
            (b"IEND", b""),
        ):
            file.write(struct.pack(">I", len(content)) + kind)
            file.write(content)
            file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))
