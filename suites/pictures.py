"""Finding a dataset's pictures, whichever way they were unpacked."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class PictureFinder:
    """Looks for a picture below ``root``: as named, then in each of ``folders``.

    COCO's pictures carry the split in some annotation files (``val2017/000000000139.jpg``) and
    not in others, and one evaluation set may draw from both splits. ``bare_names`` is false where
    the folder in a name counts: ``x/1.jpg`` and ``y/1.jpg`` may then not both become ``1.jpg``.
    """

    root: Path
    folders: Sequence[str] = ()
    bare_names: bool = True

    def find(self, file_name: str) -> Path:
        """The picture's path; where it is nowhere, the path where it was expected first."""
        candidates = self.candidates(file_name)
        return next(filter(_is_file, candidates), candidates[0])

    def candidates(self, file_name: str) -> tuple[Path, ...]:
        """Every path the picture may have, most expected first."""
        name = PurePosixPath(file_name)
        bare = name.name
        return (
            self.root / name,
            *(self.root / folder / bare for folder in self.folders),
            *((self.root / bare,) if self.bare_names and bare != file_name else ()),
        )


def is_absent(error: OSError) -> bool:
    """Whether a file could not be opened because there is none, nor can be of that name."""
    return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be read: opening it says which
        return False
