"""Small segmentation sets on disk, and an encoder that knows words but no meanings."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from suites.base import Scores, Selection, Suite
from suites.registry import entry

WALL, BUILDING, SKY, BED, PERSON, CAR = 0, 1, 2, 7, 12, 20
"""Classes of ADE20K-150; the last three are things."""

VOID = 255


class WordsEncoder:
    """Texts are alike by the words they share."""

    digest = "words"

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), 4096), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or [""]:
                vectors[row, zlib.crc32(word.encode()) % 4096] = 1
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


@dataclass
class Panoptic:
    """One picture: segment ids, classes of pixels (``VOID`` for none), and class by segment.

    ``crowd`` segments are marked so; ``areas`` overrides what the list says of a segment.
    """

    ids: NDArray[np.int64]
    semantic: NDArray[np.int64]
    classes: Mapping[int, int]
    crowd: Sequence[int] = ()
    areas: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, ids: Any, classes: Mapping[int, int], **fields: Any) -> Panoptic:
        """A picture whose semantic map agrees with its segments."""
        array = np.asarray(ids)
        semantic = np.full(array.shape, VOID)
        for label, klass in classes.items():
            semantic[array == label] = klass
        return cls(array, semantic, classes, **fields)

    def segments(self) -> list[dict[str, Any]]:
        return [
            {
                "id": label,
                "category_id": klass,
                "area": int(self.areas.get(label, np.count_nonzero(self.ids == label))),
                "bbox": [0, 0, 1, 1],
                "iscrowd": int(label in self.crowd),
            }
            for label, klass in self.classes.items()
        ]


def as_rgb(ids: Any) -> NDArray[np.uint8]:
    array = np.asarray(ids)
    return np.stack([array % 256, array // 256 % 256, array // 65536], axis=-1).astype(np.uint8)


def save(path: Path, pixels: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path)
    return path


def save_picture(path: Path, shape: tuple[int, ...]) -> Path:
    return save(path, np.full((*shape[:2], 3), 128, np.uint8))


def write_ade20k(root: Path, images: Mapping[str, Panoptic], *, pictures: bool = True) -> Path:
    """An ``ADEChallengeData2016`` with the panoptic form prepared; returns its JSON file."""
    for name, image in images.items():
        save(root / "ade20k_panoptic_val" / f"{name}.png", as_rgb(image.ids))
        save(
            root / "annotations" / "validation" / f"{name}.png",
            np.where(image.semantic == VOID, 0, image.semantic + 1).astype(np.uint8),
        )
        if pictures:
            save_picture(root / "images" / "validation" / f"{name}.jpg", image.ids.shape)
    document = {
        "images": [
            {
                "id": name,
                "file_name": f"{name}.jpg",
                "width": image.ids.shape[1],
                "height": image.ids.shape[0],
            }
            for name, image in images.items()
        ],
        "annotations": [
            {"image_id": name, "file_name": f"{name}.png", "segments_info": image.segments()}
            for name, image in images.items()
        ],
        "categories": [{"id": klass, "name": str(klass)} for klass in range(150)],
    }
    path = root / "ade20k_panoptic_val.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def write_full_release(root: Path, name: str, objects: NDArray[np.int64], noise: int = 0) -> Path:
    """A picture of the full release: object index = red // 10 · 256 + green."""
    folder = root / "ADE20K_2021_17_01/images/ADE/validation/urban/street"
    blue = np.full_like(objects, 99)
    coded = np.stack([objects // 256 * 10 + noise, objects % 256, blue], axis=-1)
    save(folder / f"{name}_seg.png", coded.astype(np.uint8))
    ramp = np.arange(objects.size * 3).reshape(*objects.shape, 3) % 251
    return save(folder / f"{name}.jpg", ramp.astype(np.uint8))


def opened(name: str, root: Path, **options: Any) -> Suite:
    """A suite with its cache beside the data."""
    return entry(name).load(cache=root.parent / f"{root.name}-cache", root=str(root), **options)


def true_answers(suite: Suite, selection: Selection | None = None) -> pd.DataFrame:
    """Every region answered with its class's label."""
    references = suite.references(selection or Selection())
    return pd.DataFrame(
        {"region_id": references["region_id"], "text": references["category"], "status": "answered"}
    )


def scored(suite: Suite, answers: pd.DataFrame, **options: Any) -> Scores:
    """Scores under :class:`WordsEncoder`, with few resamples."""
    options = {"selection": Selection(), "resamples": 20, **options}
    return suite.score(answers, WordsEncoder(), **options)


def values(scores: Scores) -> dict[str, float | None]:
    """The table's values by metric."""
    return {score.metric: score.value for score in scores.table}
