"""A suite's regions grouped by picture, to match foreign files with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bench.errors import ImportFileError
from suites.base import Selection, Suite


class ImageRegions(NamedTuple):
    """One picture's regions in the suite's order; the tuples are aligned."""

    image_id: str
    region_ids: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuiteRegions:
    """All pictures of a suite by id; numeric ids match whatever zeros lead them."""

    name: str
    images: Mapping[str, ImageRegions]

    @classmethod
    def of(cls, suite: Suite) -> SuiteRegions:
        """Read them from the suite's index."""
        frame = suite.references(Selection())
        images = {
            image_key(str(image_id)): ImageRegions(
                str(image_id), tuple(rows["region_id"]), tuple(rows["category"])
            )
            for image_id, rows in frame.groupby("image_id", sort=False)
        }
        return cls(f"{suite.card.name} {suite.card.version}", images)

    def image(self, image_id: str, where: str) -> ImageRegions:
        """The picture of that id.

        Raises:
            ImportFileError: the suite has no such picture; ``where`` names the record.
        """
        found = self.images.get(image_key(image_id))
        if found is None:
            raise ImportFileError(
                f"{where}: suite {self.name} has no image {image_id!r}; "
                "import the file into the suite it was made for"
            )
        return found

    def region_ids(self) -> set[str]:
        """Ids of all regions."""
        return {region for image in self.images.values() for region in image.region_ids}


def image_key(image_id: str) -> str:
    """The id without leading zeros where it is a number."""
    return str(int(image_id)) if image_id.isascii() and image_id.isdigit() else image_id
