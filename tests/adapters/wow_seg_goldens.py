"""The WOW-Seg golden fixture: a tiny random checkpoint and the official code's numbers for it."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file

from adapters.checkpoint import find_checkpoint
from adapters.interface import RLE, RegionQuery, Task
from adapters.masks import BoolMask, decode_rle
from adapters.qwen2_tokenizer import load_qwen2_tokenizer
from adapters.wow_seg.checkpoint import load_model
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.prompting import Prompter

FOLDER = Path(__file__).parent.parent / "goldens" / "wow_seg"
CHECKPOINT = FOLDER / "checkpoint"
TOLERANCE = 1e-4

Case = dict[str, Any]


@cache
def cases() -> Case:
    loaded: Case = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return loaded


def images() -> list[Case]:
    found: list[Case] = cases()["images"]
    return found


@cache
def expected() -> dict[str, torch.Tensor]:
    return load_file(FOLDER / "expected.safetensors")


@cache
def model() -> WowSegModel:
    return load_model(find_checkpoint(CHECKPOINT), torch.device("cpu"), torch.float32)


@cache
def prompter() -> Prompter:
    return Prompter(load_qwen2_tokenizer(CHECKPOINT))


def picture(image: Case) -> Image.Image:
    return Image.open(FOLDER / image["file"])


def rle(mask: Case) -> RLE:
    height, width = mask["rle"]["size"]
    return RLE((height, width), mask["rle"]["counts"])


def masks(image: Case) -> list[BoolMask]:
    return [decode_rle(rle(mask)) for mask in image["masks"]]


def query(image: Case, chosen: list[int] | None = None, task: Task = Task.CATEGORY) -> RegionQuery:
    """The image with the masks ``chosen`` by index (all by default)."""
    chosen = list(range(len(image["masks"]))) if chosen is None else chosen
    return RegionQuery(
        image_id=image["id"],
        image=picture(image),
        image_path=None,
        masks=[rle(image["masks"][i]) for i in chosen],
        boxes=None,
        region_ids=[f"{image['id']}/{i}" for i in chosen],
        task=task,
    )


def largest_difference(found: torch.Tensor, wanted: torch.Tensor) -> float:
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max()) if found.numel() else 0.0


def smallest_fixture(folder: Path) -> Path:
    """A copy of the fixture in ``folder`` that holds only the picture with the fewest tiles."""
    copy = folder / "wow_seg"
    shutil.copytree(FOLDER, copy)
    image = min(images(), key=lambda image: int(image["num_tiles"]))
    cases_left = {**cases(), "images": [image]}
    (copy / "cases.json").write_text(json.dumps(cases_left), encoding="utf-8")
    return copy
