"""The ``shapes`` suite on disk: pictures and one annotation file, made once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pycocotools.mask
from numpy.typing import NDArray

from adapters.interface import JsonScalar
from suites.annotations import Annotations
from suites.base import Finding, Level, SuiteOptionError
from suites.index import IndexSource, publish
from suites.options import choice_option
from suites.pictures import PictureFinder
from suites.readers.own_regions import read_own_regions
from suites.region_suite import RegionSuite, open_region_suite
from suites.shapes import VERSION, card
from suites.shapes.layout import Difficulty
from suites.shapes.scenes import MINIMUM_SIZE, Scene, Split, scene

_ANNOTATIONS = "annotations.json"
_FIRST_SCENE = "fa2353"
"""First digits of the SHA-256 of the first scene at the default options, on every platform."""


@dataclass(frozen=True, slots=True)
class Edition:
    """The options of :data:`suites.shapes.ENTRY`, checked: they decide every pixel."""

    images: int
    size: int
    difficulty: Difficulty
    split: Split
    seed: int

    @classmethod
    def of(
        cls,
        images: JsonScalar = 200,
        size: JsonScalar = 128,
        difficulty: JsonScalar = Difficulty.NORMAL.value,
        split: JsonScalar = Split.VALIDATION.value,
        seed: JsonScalar = 0,
    ) -> Edition:
        """Take the options as given.

        Raises:
            SuiteOptionError: a value that cannot be used.
        """
        return cls(
            images=_integer("images", images, 1),
            size=_integer("size", size, MINIMUM_SIZE),
            difficulty=choice_option("difficulty", difficulty, Difficulty),
            split=choice_option("split", split, Split),
            seed=_integer("seed", seed, 0),
        )

    def __str__(self) -> str:
        return (
            f"{self.difficulty}, {self.split}, {self.images} scenes of {self.size} px, "
            f"seed {self.seed}"
        )

    def scene(self, index: int) -> Scene:
        """The ``index``-th scene."""
        return scene(self.seed, self.split, index, self.size, self.difficulty)


def load(*, cache: Path, **options: JsonScalar) -> RegionSuite:
    """Open the suite, making its pictures the first time.

    Raises:
        SuiteOptionError: a value that cannot be used.
    """
    edition = Edition.of(**options)
    folder = _folder(cache, edition)
    if not folder.is_dir():
        publish(folder, partial(_make, edition))
    annotations, pictures = folder / _ANNOTATIONS, PictureFinder(folder)
    source = IndexSource(
        suite="shapes",
        files=(annotations,),
        read=lambda: _read(annotations, pictures, edition),
        settings={"version": VERSION},
    )
    return open_region_suite(source, pictures, cache, card)


def check(**options: JsonScalar) -> list[Finding]:
    """Say whether this machine makes the scenes every other machine makes.

    Raises:
        SuiteOptionError: a value that cannot be used.
    """
    edition = Edition.of(**options)
    digest = scene_digest(Edition.of().scene(0))
    if not digest.startswith(_FIRST_SCENE):
        return [
            Finding(
                Level.INVALID,
                "scenes",
                f"the first scene has digest {digest[:6]}, elsewhere {_FIRST_SCENE}",
                "scores are not comparable with other machines'; please report the NumPy version",
            )
        ]
    return [Finding(Level.OK, "scenes", f"{edition}: made on this machine when first asked for")]


def scene_digest(scene: Scene) -> str:
    """Hex SHA-256 of a scene's pixels, masks and names."""
    names = "\n".join(scene.names).encode()
    return hashlib.sha256(scene.pixels.tobytes() + scene.masks.tobytes() + names).hexdigest()


def _folder(cache: Path, edition: Edition) -> Path:
    content = json.dumps({"version": VERSION, **asdict(edition)}, sort_keys=True)
    return cache / "shapes" / hashlib.sha256(content.encode()).hexdigest()[:20]


def _make(edition: Edition, folder: Path) -> None:
    """Write the pictures, and the annotation file in the form users write their own regions."""
    images = list(_images(edition, folder))
    text = json.dumps({"images": images}, indent=1)
    (folder / _ANNOTATIONS).write_text(text + "\n", encoding="utf-8")


def _images(edition: Edition, folder: Path) -> Iterator[dict[str, object]]:
    for index in range(edition.images):
        made = edition.scene(index)
        image_id = f"{edition.split}-{index:06d}"
        PIL.Image.fromarray(made.pixels).save(folder / f"{image_id}.png")
        yield {
            "id": image_id,
            "file_name": f"{image_id}.png",
            "width": edition.size,
            "height": edition.size,
            "regions": [
                {"label": name, "segmentation": _rle(mask)}
                for name, mask in zip(made.names, made.masks, strict=True)
            ],
        }


def _rle(mask: NDArray[np.bool_]) -> dict[str, object]:
    encoded = pycocotools.mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")}


def _read(path: Path, pictures: PictureFinder, edition: Edition) -> Annotations:
    own = read_own_regions(path, pictures)
    return Annotations(str(edition), own.images)


def _integer(name: str, value: JsonScalar, least: int) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or int(text) < least:
        raise SuiteOptionError(f"option {name!r} must be an integer from {least}, not {value!r}")
    return int(text)
