"""The Osprey golden fixture: a tiny random checkpoint and the official code's numbers for it."""

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
from adapters.interface import RLE, JsonScalar, RegionQuery, Task
from adapters.masks import BoolMask
from adapters.osprey import ENTRY
from adapters.osprey.adapter import OspreyRecognizer

FOLDER = Path(__file__).parent.parent / "goldens" / "osprey"
CHECKPOINT = FOLDER / "checkpoint"
WIDTH, HEIGHT = 302, 424  # of the picture that queries are about unless said otherwise

Case = dict[str, Any]


@cache
def cases() -> Case:
    loaded: Case = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return loaded


def picture(name: str = "img1") -> Image.Image:
    """A photo of the fixture; ``img1`` is the cat."""
    return Image.open(FOLDER / "inputs" / f"{name}.png")


def masks(image: str = "img1") -> list[RLE]:
    """A photo's masks; the last of ``img1`` is a single pixel."""
    found = [mask["segmentation"] for mask in cases()["masks"] if mask["image"] == image]
    return [RLE(tuple(mask["size"]), mask["counts"]) for mask in found]


def load(checkpoint: Path | str = CHECKPOINT, **settings: JsonScalar) -> OspreyRecognizer:
    loaded = ENTRY.load(checkpoint, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, OspreyRecognizer)
    return loaded


@cache
def golden() -> OspreyRecognizer:
    return load()


@cache
def tensors() -> dict[str, torch.Tensor]:
    """The checkpoint's tensors by official name."""
    return find_checkpoint(CHECKPOINT).tensors()


def encode(mask: BoolMask) -> RLE:
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return RLE((mask.shape[0], mask.shape[1]), counts)


def rectangle(left: int, top: int, width: int, height: int) -> RLE:
    """A mask of the cat's picture."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[top : top + height, left : left + width] = True
    return encode(mask)


def asking(
    masks: Sequence[RLE], task: Task = Task.CATEGORY, image: Image.Image | None = None
) -> RegionQuery:
    ids = [f"region {i}" for i in range(len(masks))]
    return RegionQuery("cat", image or picture(), None, masks, None, ids, task)
