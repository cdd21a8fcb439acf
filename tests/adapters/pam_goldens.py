"""The PAM golden fixture: a tiny random checkpoint and the official code's numbers for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from pycocotools import mask as coco

from adapters.checkpoint import find_checkpoint
from adapters.interface import RLE, Box, JsonScalar, RegionQuery, Task
from adapters.masks import BoolMask
from adapters.pam import ENTRY
from adapters.pam.adapter import PamRecognizer
from adapters.pam.settings import Settings
from adapters.pam.tower import AUTHORS_FILE
from adapters.pam.vision import ImageFeatures
from adapters.tensor_files import read_tensors

FOLDER = Path(__file__).parent.parent / "goldens" / "pam"
CHECKPOINT = FOLDER / "checkpoint"
WIDTH, HEIGHT = 320, 480  # of the picture that queries are about unless said otherwise

Case = dict[str, Any]


@cache
def cases() -> list[Case]:
    loaded: Case = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return [case for case in loaded["cases"] if case["official"]]


def picture(name: str = "a0") -> Image.Image:
    """A photo of the fixture; ``a0`` is the astronaut."""
    return Image.open(FOLDER / "inputs" / f"{name}.png")


def load(checkpoint: Path | str = CHECKPOINT, /, **settings: JsonScalar) -> PamRecognizer:
    loaded = ENTRY.load(checkpoint, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, PamRecognizer)
    return loaded


@cache
def golden() -> PamRecognizer:
    """The golden checkpoint; it encodes a picture it has seen before no second time."""
    recognizer = load()
    encode, seen = recognizer.model.encode_image, dict[bytes, ImageFeatures]()

    def encode_once(pixels: torch.Tensor) -> ImageFeatures:
        key = pixels.numpy().tobytes()
        if key not in seen:
            seen[key] = encode(pixels)
        return seen[key]

    recognizer.model.encode_image = encode_once  # type: ignore[method-assign]
    return recognizer


def asker(**settings: JsonScalar) -> PamRecognizer:
    """The golden checkpoint with other settings than those for loading."""
    known = golden()
    chosen = Settings.read(settings)
    return PamRecognizer(known.model, known.prompter, known.generation, chosen, known.card)


@cache
def tensors() -> dict[str, torch.Tensor]:
    """The checkpoint's own tensors by official name."""
    return find_checkpoint(CHECKPOINT).tensors()


@cache
def tower_tensors() -> dict[str, torch.Tensor]:
    """SAM 2's, by the authors' names."""
    return read_tensors("SAM 2", [CHECKPOINT / AUTHORS_FILE])


def encode(mask: BoolMask) -> RLE:
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return RLE((mask.shape[0], mask.shape[1]), counts)


def rectangle(left: int, top: int, width: int, height: int) -> RLE:
    """A mask of the astronaut's picture."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[top : top + height, left : left + width] = True
    return encode(mask)


def asking(
    masks: Sequence[RLE],
    task: Task = Task.CATEGORY,
    image: Image.Image | None = None,
    boxes: Sequence[Box] | None = None,
) -> RegionQuery:
    ids = [f"region {i}" for i in range(len(masks))]
    return RegionQuery("astronaut", image or picture(), None, masks, boxes, ids, task)
