"""The DAM golden fixture, and a smaller network of its kind for tests that ask often."""

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

from adapters.dam import ENTRY
from adapters.dam.adapter import DamRecognizer
from adapters.dam.checkpoint import load_tokenizer, random_model
from adapters.dam.configuration import ContextConfig, DamConfig, VisionConfig
from adapters.dam.layout import find_layout
from adapters.dam.modeling import DamModel
from adapters.dam.prompting import Prompter
from adapters.dam.settings import read_prompts
from adapters.interface import RLE, AdapterCard, JsonScalar, RegionQuery, Task
from adapters.language import LanguageConfig
from adapters.masks import BoolMask

FOLDER = Path(__file__).parent.parent / "goldens" / "dam"
CHECKPOINT = FOLDER / "checkpoint"
CPU = torch.device("cpu")
# An odd grid of 5 patches a side, as the published one of 27 is odd; 9 tokens a region.
TINY = DamConfig(
    vision=VisionConfig(32, 3, 4, 48, image_size=72, patch_size=14),
    context=ContextConfig(48, 4),
    language=LanguageConfig(512, 48, 2, 4, 4, 64, rope_theta=1e4, rms_norm_eps=1e-5),
    depth=2,
)

Case = dict[str, Any]


@cache
def cases() -> list[Case]:
    loaded: Case = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    found: list[Case] = loaded["cases"]
    return found


def picture(name: str = "b_chelsea.jpg") -> Image.Image:
    """A photo of the fixture; the cat's is 451 pixels wide and 300 high."""
    return Image.open(FOLDER / "inputs" / name)


def load(checkpoint: Path = CHECKPOINT, /, **settings: JsonScalar) -> DamRecognizer:
    loaded = ENTRY.load(checkpoint, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, DamRecognizer)
    return loaded


@cache
def golden() -> DamRecognizer:
    return load()


def golden_query(chosen: Sequence[Case]) -> RegionQuery:
    """Cases of one picture as one query."""
    masks = [RLE(tuple(case["rle"]["size"]), case["rle"]["counts"]) for case in chosen]
    return asking(masks, image=picture(chosen[0]["image"]))


@cache
def tiny_model() -> DamModel:
    """A network whose answers vary from region to region."""
    model = random_model(TINY, 0, CPU, torch.float32)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                scale = 3.0 if "embed" in name else 2.0 * parameter[0].numel() ** -0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return model


def tiny(**settings: JsonScalar) -> DamRecognizer:
    """The tiny network with the golden fixture's tokenizer."""
    prompts = read_prompts(None, settings)
    tokenizer = load_tokenizer(find_layout(CHECKPOINT), TINY.language.vocab_size)
    card = AdapterCard("dam", 1, "tiny", "", 0, "float32", "cpu", prompts)
    return DamRecognizer(tiny_model(), Prompter(tokenizer), card)


def encode(mask: BoolMask) -> RLE:
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return RLE((mask.shape[0], mask.shape[1]), counts)


def rectangle(left: int, top: int, width: int, height: int) -> RLE:
    """A mask of the cat's picture."""
    mask = np.zeros((300, 451), dtype=np.bool_)
    mask[top : top + height, left : left + width] = True
    return encode(mask)


def asking(
    masks: Sequence[RLE], task: Task = Task.DESCRIPTION, image: Image.Image | None = None
) -> RegionQuery:
    ids = [f"region {i}" for i in range(len(masks))]
    return RegionQuery("cat", image or picture(), None, masks, None, ids, task)
