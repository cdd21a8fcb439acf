"""Scenes of overlapping coloured shapes, from a seed, pixel for pixel the same everywhere.

The two splits cannot share a scene, whatever their seeds: a digest of a scene's layout decides
the split it belongs to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from suites.shapes.dice import Dice
from suites.shapes.layout import RULES, Difficulty, Placement, Rules, draw_layout, stamp
from suites.shapes.vocabulary import COLOURS

MINIMUM_SIZE = 64
MAXIMUM_SIZE = 2048
"""Of a larger scene the noise and the shapes kept while it is drawn take gigabytes."""


class Split(StrEnum):
    """Which of the two disjoint worlds a scene belongs to."""

    TRAIN = "train"
    VALIDATION = "validation"


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and its regions, in no particular depth order.

    ``pixels``: uint8 ``[size, size, 3]``. ``masks``: bool ``[regions, size, size]``, the visible
    parts, which are disjoint. ``names`` are aligned with ``masks``.
    """

    pixels: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    names: tuple[str, ...]


def scene(seed: int, split: Split, index: int, size: int, difficulty: Difficulty) -> Scene:
    """The ``index``-th scene of a split: a pure function of its arguments.

    Args:
        seed: seed of the split's stream.
        split: which of the two disjoint worlds.
        index: number within the split, from 0.
        size: width and height in pixels, from ``MINIMUM_SIZE`` to ``MAXIMUM_SIZE``.
        difficulty: how hard to read.
    """
    rules = RULES[difficulty]
    dice = Dice(seed, list(Split).index(split), index, size, list(Difficulty).index(difficulty))
    while True:
        layout = draw_layout(dice, size, rules)
        if split_of(layout) is split:
            return _render(dice, layout, size, rules)


def split_of(layout: list[Placement]) -> Split:
    """The split a layout belongs to, from a digest of which shape lies where."""
    text = "\n".join(" ".join(map(str, placement)) for placement in layout)
    odd = hashlib.sha256(text.encode()).digest()[0] % 2
    return Split.VALIDATION if odd else Split.TRAIN


def _render(dice: Dice, layout: list[Placement], size: int, rules: Rules) -> Scene:
    owner = np.full((size, size), -1, dtype=np.int8)
    pixels = _background(dice, size)
    for number, placement in enumerate(layout):
        mask = stamp(placement, placement.shape, size)
        tint = dice.grain((3,), rules.tint)
        pixels[mask] = np.array(COLOURS[placement.colour], dtype=np.int16) + tint
        owner[mask] = number
    pixels += dice.grain((size, size, 3), rules.noise)
    order = dice.order(len(layout))
    return Scene(
        pixels=pixels.clip(0, 255).astype(np.uint8),
        masks=np.stack([owner == number for number in order]),
        names=tuple(f"{layout[number].colour} {layout[number].shape}" for number in order),
    )


def _background(dice: Dice, size: int) -> NDArray[np.int16]:
    """A grey slope, so that no shape's colour is the background's."""
    start, along_x, along_y = dice.between(100, 140), dice.between(-20, 20), dice.between(-20, 20)
    ramp = np.arange(size, dtype=np.int32)
    slope = start + (ramp[None, :] * along_x + ramp[:, None] * along_y) // size
    return np.repeat(slope[..., None].astype(np.int16), 3, axis=2)
