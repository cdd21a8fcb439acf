"""Finding a dataset's pictures, whichever way they were unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class PictureFinder:
    """Looks for a picture below ``root``: as named, then in each of ``folders``.

    COCO's pictures carry the split in some annotation files (``val2017/000000000139.jpg``) and
    not in others, and one evaluation set may draw from both splits.
    """

    root: Path
    folders: Sequence[str] = ()

    def find(self, file_name: str) -> Path:
        """The picture's path; where it is nowhere, the path where it was expected first."""
        candidates = self.candidates(file_name)
        return next((path for path in candidates if path.is_file()), candidates[0])

    def candidates(self, file_name: str) -> tuple[Path, ...]:
        """Every path the picture may have, most expected first."""
        name = PurePosixPath(file_name)
        bare = name.name
        return (
            self.root / name,
            *(self.root / folder / bare for folder in self.folders),
            *((self.root / bare,) if bare != file_name else ()),
        )
