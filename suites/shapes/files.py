"""The ``shapes`` suite on disk: pictures and one annotation file, made once."""

from __future__ import annotations

import hashlib
import json
import shutil
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
from suites.base import DataInvalid, Finding, Level, SuiteOptionError
from suites.check import ends_well
from suites.index import IndexSource, publish
from suites.options import choice_option
from suites.pictures import PictureFinder
from suites.readers.own_regions import read_own_regions
from suites.region_suite import RegionSuite, open_region_suite
from suites.shapes import VERSION, card
from suites.shapes.layout import Difficulty
from suites.shapes.scenes import MAXIMUM_SIZE, MINIMUM_SIZE, Scene, Split, scene

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
            size=_integer("size", size, MINIMUM_SIZE, MAXIMUM_SIZE),
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
    """Open the suite, making its pictures the first time, and again where some are damaged.

    Raises:
        SuiteOptionError: a value that cannot be used.
        DataInvalid: the pictures are damaged and cannot be removed.
    """
    edition = Edition.of(**options)
    folder = _folder(cache, edition)
    if folder.is_dir() and not _whole(edition, folder):
        _remove(folder)
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


def _whole(edition: Edition, folder: Path) -> bool:
    """Whether every file is there and has its end."""
    files = [folder / _ANNOTATIONS, *(folder / _picture(edition, i) for i in range(edition.images))]
    if not all(path.is_file() for path in files):
        return False
    # Its closing brace is the only one that no blanks precede.
    return files[0].read_bytes().endswith(b"\n}\n") and all(map(ends_well, files[1:]))


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise DataInvalid(
            f"the generated scenes in {folder} are damaged and cannot be removed ({error}); "
            "delete the folder, it is made again"
        ) from error


def _picture(edition: Edition, index: int) -> str:
    return f"{edition.split}-{index:06d}.png"


def _make(edition: Edition, folder: Path) -> None:
    """Write the pictures, and the annotation file in the form users write their own regions."""
    images = list(_images(edition, folder))
    text = json.dumps({"images": images}, indent=1)
    (folder / _ANNOTATIONS).write_text(text + "\n", encoding="utf-8")


def _images(edition: Edition, folder: Path) -> Iterator[dict[str, object]]:
    for index in range(edition.images):
        made = edition.scene(index)
        name = _picture(edition, index)
        PIL.Image.fromarray(made.pixels).save(folder / name)
        yield {
            "id": name.removesuffix(".png"),
            "file_name": name,
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


def _integer(name: str, value: JsonScalar, least: int, most: int | None = None) -> int:
    text = str(value)
    fits = not isinstance(value, bool) and text.isdecimal() and int(text) >= least
    if not fits or (most is not None and int(text) > most):
        span = f"from {least}" if most is None else f"from {least} to {most}"
        raise SuiteOptionError(f"option {name!r} must be an integer {span}, not {value!r}")
    return int(text)
