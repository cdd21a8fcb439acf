"""Pictures with any number of distinct regions, the same on every machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from adapters.interface import RLE
from bench.efficiency.errors import SweepError

_ATTEMPTS = 100  # draws per region before a picture counts as too small
_POINTS = 40  # corners of an ellipse's outline


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and its regions; the first n regions are the same for any number of them."""

    name: str
    image: Image.Image
    masks: tuple[RLE, ...]


def draw_scene(seed: int, regions: int, size: tuple[int, int]) -> Scene:
    """A noisy picture with ellipses of about the sizes that objects have.

    Args:
        seed: which picture.
        regions: how many ellipses; no two cover the same pixels.
        size: width and height in pixels.

    Raises:
        SweepError: so many different regions do not fit into the picture.
    """
    from pycocotools import mask as coco

    generator = np.random.default_rng(seed)
    width, height = size
    noise = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    canvas = ImageDraw.Draw(image)
    masks: dict[str, RLE] = {}
    for _ in range(_ATTEMPTS * regions):
        if len(masks) == regions:
            break
        outline = _ellipse(generator, width, height)
        alone = Image.new("L", size)
        ImageDraw.Draw(alone).polygon(outline, fill=1)
        mask = np.asfortranarray(np.asarray(alone))
        counts = coco.encode(mask)["counts"].decode("ascii")
        if mask.any() and counts not in masks:
            masks[counts] = RLE((height, width), counts)
            red, green, blue = (int(value) for value in generator.integers(0, 256, 3))
            canvas.polygon(outline, fill=(red, green, blue))
    if len(masks) < regions:
        raise SweepError(
            f"a picture of {width}x{height} pixels has no room for {regions} different regions; "
            "give the sweep a larger `picture` or fewer `instances`"
        )
    return Scene(f"scene-{seed}", image, tuple(masks.values()))


def _ellipse(generator: np.random.Generator, width: int, height: int) -> list[tuple[float, float]]:
    """Corners of an ellipse whose half-axes are 3 to 25 % of the picture's shorter side."""
    side = min(width, height)
    x, y = generator.uniform(0, width), generator.uniform(0, height)
    long = side * math.exp(generator.uniform(math.log(0.03), math.log(0.25)))
    short = long * generator.uniform(0.3, 1)
    angle = generator.uniform(0, math.pi)
    turns = np.linspace(0, 2 * math.pi, _POINTS, endpoint=False)
    across, along = long * np.cos(turns), short * np.sin(turns)
    xs = x + across * math.cos(angle) - along * math.sin(angle)
    ys = y + across * math.sin(angle) + along * math.cos(angle)
    return [(float(px), float(py)) for px, py in zip(xs, ys, strict=True)]
