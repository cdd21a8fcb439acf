"""Print what the tiny checkpoints reach on held-out scenes, with their masks and without.

    python tools/evaluate_tiny.py

gives the table of ``docs/training/README.md``: semantic IoU on the validation scenes of the default
suite, asked region by region, with every mask that of another region, with every mask filled to its
box, and all at once under two attention masks. About five minutes on one idle core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pycocotools import mask as coco

import adapters
from adapters.interface import RLE, Generation, RegionQuery, Task
from metrics.semantic import semantic_ious
from suites.shapes.layout import Difficulty
from suites.shapes.scenes import Split, scene

VARIANTS = ("mm-cascade", "mm-causal", "sm")
GENERATION = Generation(max_new_tokens=10)
Masks = NDArray[np.bool_]


class Way(NamedTuple):
    """One row of the table: how masks are changed, and the adapter's settings."""

    title: str
    change: Callable[[Masks], Masks]
    settings: dict[str, Any]


def as_drawn(masks: Masks) -> Masks:
    """The regions' own masks, bool ``[regions, height, width]``."""
    return masks


def shuffled(masks: Masks) -> Masks:
    """Every region with another region's mask."""
    return np.roll(masks, 1, axis=0)


def boxed(masks: Masks) -> Masks:
    """Every mask filled to its bounding box."""
    rows, columns = (np.asarray(masks.any(axis=axis)) for axis in (2, 1))
    return _filled(rows)[:, :, None] & _filled(columns)[:, None, :]


def _filled(occupied: Masks) -> Masks:
    begun = np.logical_or.accumulate(occupied, axis=1)
    ahead = np.logical_or.accumulate(occupied[:, ::-1], axis=1)[:, ::-1]
    filled: Masks = begun & ahead
    return filled


WAYS = (
    Way("`shared-prefix`", as_drawn, {"multi_instance": "shared-prefix"}),
    Way("the same, masks shuffled", shuffled, {"multi_instance": "shared-prefix"}),
    Way("the same, masks boxed", boxed, {"multi_instance": "shared-prefix"}),
    Way("`single`", as_drawn, {"multi_instance": "single"}),
    Way(
        "`cascade`, `region+output`",
        as_drawn,
        {"multi_instance": "cascade", "cascade": "region+output"},
    ),
    Way("`cascade`, `none`", as_drawn, {"multi_instance": "cascade", "cascade": "none"}),
)


def question(index: int, change: Callable[[Masks], Masks]) -> tuple[RegionQuery, tuple[str, ...]]:
    """A validation scene of the default suite as a question, with the right names."""
    made = scene(0, Split.VALIDATION, index, 128, Difficulty.NORMAL)
    encoded = (coco.encode(np.asfortranarray(m, dtype=np.uint8)) for m in change(made.masks))
    masks = [RLE((128, 128), one["counts"].decode("ascii")) for one in encoded]
    ids = [f"{index}/{number}" for number in range(len(masks))]
    image = PIL.Image.fromarray(made.pixels)
    return RegionQuery(str(index), image, None, masks, None, ids, Task.CATEGORY), made.names


def semantic_iou(variant: str, way: Way, scenes: int) -> float:
    """Mean over regions of one checkpoint asked in one way."""
    recognizer = adapters.load("wow-seg", f"bundled:{variant}", device="cpu", **way.settings)
    asked = [question(index, way.change) for index in range(scenes)]
    answers = recognizer.recognize([query for query, _ in asked], GENERATION)
    texts = [answer.text for given in answers for answer in given]
    names = [name for _, expected in asked for name in expected]
    return float(semantic_ious(texts, names).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", type=int, default=200)
    scenes = parser.parse_args().scenes
    print(f"| asked | {' | '.join(f'`{variant}`' for variant in VARIANTS)} |")
    print("|---" * (1 + len(VARIANTS)) + "|")
    for way in WAYS:
        reached = [f"{semantic_iou(variant, way, scenes):.3f}" for variant in VARIANTS]
        print(f"| {way.title} | {' | '.join(reached)} |", flush=True)


if __name__ == "__main__":
    main()
