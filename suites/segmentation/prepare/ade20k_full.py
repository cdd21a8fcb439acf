"""ADE-847: from the label pictures of the full ADE20K release to 16-bit maps.

The field's preparation makes pictures and maps of at most 512 pixels on the short side; its
numbers are of those.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.interface import JsonScalar
from suites.base import DataInvalid, PictureError, open_picture
from suites.registry import Prepared, Progress
from suites.segmentation.ade20k_sets import ADE847, ADE847_PREPARATION, FULL_MAPS
from suites.segmentation.label_maps import read_rgb
from suites.segmentation.label_rules import IGNORE
from suites.segmentation.locate import find, root_of
from suites.segmentation.prepare.converting import convert_all, save_picture
from suites.segmentation.prepare.opencv_resize import shrink_bilinear, shrink_nearest
from suites.segmentation.prepared import begin

_SHORT_SIDE = 512
_IDS = Path(__file__).with_name("ade20k_full_ids.txt")
_SUFFIX = "_seg.png"


def prepare(
    *,
    progress: Progress,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> Prepared:
    """Write ``images_detectron2/validation/*.jpg`` and ``annotations_detectron2/…/*.tif``.

    ``vocabulary`` and ``template`` have no part in it.

    Raises:
        DataMissing: the full release is not there, or a picture lacks.
        DataInvalid: a label picture cannot be read, or pictures are there that an earlier
            preparation made.
    """
    home, labels = find(root_of(ADE847.card.name, root), ADE847.homes, FULL_MAPS)
    conversions = []
    for path in labels:
        name = path.name.removesuffix(_SUFFIX)
        conversions.append(
            _Picture(
                labels=path,
                picture=path.with_name(f"{name}.jpg"),
                map_output=home / "annotations_detectron2" / "validation" / f"{name}.tif",
                picture_output=home / "images_detectron2" / "validation" / f"{name}.jpg",
            )
        )
    begin(ADE847_PREPARATION, home, [conversion.picture_output for conversion in conversions])
    return convert_all(conversions, home, "ADE20K pictures and maps", progress)


@dataclass(frozen=True, slots=True)
class _Picture:
    labels: Path
    picture: Path
    map_output: Path
    picture_output: Path

    @property
    def outputs(self) -> tuple[Path, ...]:
        return (self.picture_output, self.map_output)

    def convert(self) -> None:
        pixels = read_rgb(self.labels).astype(np.int64)
        classes = class_of_object()[pixels[..., 0] // 10 * 256 + pixels[..., 1]]
        height, width = classes.shape
        try:
            picture = open_picture(self.picture, width, height)
        except PictureError as error:
            raise DataInvalid(str(error)) from error
        small = _smaller(width, height)
        save_picture(shrink_bilinear(np.asarray(picture), small), self.picture_output)
        save_picture(shrink_nearest(classes, small), self.map_output)


@lru_cache(maxsize=1)
def class_of_object() -> NDArray[np.uint16]:
    """Class index of every object index of the full release: uint16, ``IGNORE`` for the others."""
    lines = _IDS.read_text(encoding="utf-8").splitlines()
    ids = [int(word) for line in lines if not line.startswith("#") for word in line.split()]
    # Red up to 255 and green up to 255 give 25 · 256 + 255 at most.
    classes = np.full(26 * 256, IGNORE, np.uint16)
    classes[ids] = np.arange(len(ids))
    return classes


def _smaller(width: int, height: int) -> tuple[int, int]:
    """Width and height with the short side at most 512, rounded as the field's preparation."""
    if width >= height > _SHORT_SIDE:
        return round(width / height * _SHORT_SIDE), _SHORT_SIDE
    if height >= width > _SHORT_SIDE:
        return _SHORT_SIDE, round(height / width * _SHORT_SIDE)
    return width, height
