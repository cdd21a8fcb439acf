"""Where the shapes of a scene lie: overlapping pairs that can still be told apart.

Half of the pairs share one bounding box and most others have one shape inside the other's box,
so that a region's own mask, not its box, tells what it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suites.shapes.dice import Dice
from suites.shapes.geometry import SHAPES, coarse_points, silhouette
from suites.shapes.vocabulary import COLOURS

_CELLS = 2
"""Scenes are laid out on a 2 × 2 grid, one or two shapes a cell, at least three pairs."""

_PAIRED_FIRST = 3
_GRID, _POINTS = 7, 3
"""A shape must be seen by 3 points of a 7 × 7 lattice around it: slivers are no regions."""

_ALIKE_PERCENT = 75
"""Two shapes whose visible parts overlap by more than this are too alike to be told apart."""


class Difficulty(StrEnum):
    """How hard scenes are to read; ``normal`` is what the bundled checkpoints are trained on."""

    EASY = "easy"
    NORMAL = "normal"
    HARD = "hard"


class Overlap(StrEnum):
    """How the upper shape of a pair lies on the lower one."""

    ONE_BOX = "one box"
    INSIDE = "inside"
    ASIDE = "aside"


_OVERLAPS = (*[Overlap.ONE_BOX] * 4, *[Overlap.INSIDE] * 3, Overlap.ASIDE)
"""Drawn from with equal chances."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a difficulty means.

    At least ``visible_percent`` of a shape stay in sight; ``tint`` and ``noise`` are the largest
    changes of a colour channel per shape and per pixel; ``smallest_percent`` is the smallest
    lower shape's side relative to its cell.
    """

    visible_percent: int
    tint: int
    noise: int
    smallest_percent: int


RULES: dict[Difficulty, Rules] = {
    Difficulty.EASY: Rules(visible_percent=40, tint=4, noise=2, smallest_percent=70),
    Difficulty.NORMAL: Rules(visible_percent=30, tint=10, noise=6, smallest_percent=60),
    Difficulty.HARD: Rules(visible_percent=20, tint=18, noise=24, smallest_percent=45),
}


class Placement(NamedTuple):
    """One shape in a scene: its name's parts and its square box in pixels."""

    colour: str
    shape: str
    left: int
    top: int
    side: int


def draw_layout(dice: Dice, size: int, rules: Rules) -> list[Placement]:
    """Shapes back to front, each of another colour: three or four pairs, and maybe one alone."""
    colours = [list(COLOURS)[i] for i in dice.order(len(COLOURS))]
    cell = size // _CELLS
    layout: list[Placement] = []
    for number in dice.order(_CELLS * _CELLS):
        count = 2 if len(layout) < 2 * _PAIRED_FIRST else dice.below(3)
        if count:
            names = colours[len(layout) : len(layout) + count]
            left, top = (number % _CELLS) * cell, (number // _CELLS) * cell
            group = _pair(dice, names, cell, rules) if count == 2 else _alone(dice, names, cell)
            layout += [p._replace(left=p.left + left, top=p.top + top) for p in group]
    return layout


def stamp(placement: Placement, shape: str, size: int) -> NDArray[np.bool_]:
    """``shape`` where the placement lies: bool ``[size, size]``."""
    mask = np.zeros((size, size), dtype=np.bool_)
    _, _, left, top, side = placement
    mask[top : top + side, left : left + side] = silhouette(shape, side)
    return mask


def _alone(dice: Dice, colours: Sequence[str], cell: int) -> list[Placement]:
    side = dice.between(cell // 2, cell * 4 // 5)
    shape = SHAPES[dice.below(len(SHAPES))]
    return [Placement(colours[0], shape, dice.below(cell - side), dice.below(cell - side), side)]


def _pair(dice: Dice, colours: Sequence[str], cell: int, rules: Rules) -> list[Placement]:
    """Two overlapping shapes, drawn again until both can be told by what is seen of them."""
    overlap = _OVERLAPS[dice.below(len(_OVERLAPS))]
    while True:
        shapes = [SHAPES[i] for i in dice.order(len(SHAPES))[:2]]
        side = dice.between(cell * rules.smallest_percent // 100, cell * 85 // 100)
        side, upper, dx, dy = _offset(dice, overlap, side)
        before, after = -min(0, dx, dy), max(side, upper + max(dx, dy))
        if before + after > cell:
            continue
        left, top = (before + dice.below(cell - before - after + 1) for _ in "xy")
        pair = (
            Placement(colours[0], shapes[0], left, top, side),
            Placement(colours[1], shapes[1], left + dx, top + dy, upper),
        )
        if _legible(*pair, cell, rules):
            return list(pair)


def _offset(dice: Dice, overlap: Overlap, side: int) -> tuple[int, int, int, int]:
    """Sides of the lower and the upper shape, and how far the upper one is moved."""
    match overlap:
        case Overlap.ONE_BOX:
            return side, side, 0, 0
        case Overlap.INSIDE:
            upper = side * dice.between(48, 62) // 100
            slack = side - upper
            dx, dy = (slack // 2 + dice.between(-slack // 8, slack // 8) for _ in "xy")
            return side, upper, dx, dy
        case Overlap.ASIDE:
            side = side * 3 // 4
            dx, dy = (dice.between(side // 4, side // 2) * (1 - 2 * dice.below(2)) for _ in "xy")
            return side, side, dx, dy


def _legible(lower: Placement, upper: Placement, cell: int, rules: Rules) -> bool:
    """Whether they overlap, enough is seen of both, and no other shape would look the same."""
    cover = stamp(upper, upper.shape, cell)
    whole = stamp(lower, lower.shape, cell)
    seen = whole & ~cover
    if not (whole & cover).any() or seen.sum() * 100 < whole.sum() * rules.visible_percent:
        return False
    if min(coarse_points(part, _GRID) for part in (seen, cover)) < _POINTS:
        return False
    others = (stamp(lower, s, cell) & ~cover for s in SHAPES if s != lower.shape)
    return not any(_alike(seen, other) for other in others)


def _alike(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    return bool((one & other).sum() * 100 > (one | other).sum() * _ALIKE_PERCENT)
