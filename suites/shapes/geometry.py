"""Shapes as integer geometry: the same pixels on every platform."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Silhouette = NDArray[np.bool_]

_UNIT = 120
"""Side of the box in which the polygons' corners are given."""

_POLYGONS: dict[str, tuple[tuple[int, int], ...]] = {
    "square": ((0, 0), (120, 0), (120, 120), (0, 120)),
    "triangle": ((60, 0), (120, 120), (0, 120)),
    "cross": (
        *((40, 0), (80, 0), (80, 40), (120, 40), (120, 80), (80, 80)),
        *((80, 120), (40, 120), (40, 80), (0, 80), (0, 40), (40, 40)),
    ),
}
_ROUND = ("circle", "ring")

SHAPES: tuple[str, ...] = tuple(sorted((*_POLYGONS, *_ROUND)))


@lru_cache(maxsize=4096)
def silhouette(shape: str, side: int) -> Silhouette:
    """The shape filling a square box of ``side`` pixels: read-only bool ``[side, side]``.

    A pixel belongs to the shape when its centre does (even-odd rule for polygons). Everything
    is computed in integers.
    """
    centre = (2 * np.arange(side, dtype=np.int64) + 1) * _UNIT
    y, x = centre[:, None], centre[None, :]
    if shape in _POLYGONS:
        inside = _polygon(shape, x, y, 2 * side)
    else:
        half = side * _UNIT
        distance = (x - half) ** 2 + (y - half) ** 2
        inside = distance <= half**2
        if shape == "ring":
            inside &= 4 * distance > half**2
    inside.setflags(write=False)
    return inside


def _polygon(
    shape: str, x: NDArray[np.int64], y: NDArray[np.int64], scale: int
) -> NDArray[np.bool_]:
    corners = [(cx * scale, cy * scale) for cx, cy in _POLYGONS[shape]]
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.bool_)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        if ay == by:
            continue
        spans = (ay > y) != (by > y)
        side_of_edge = (x - ax) * (by - ay) - (bx - ax) * (y - ay)
        inside ^= spans & ((side_of_edge < 0) if by > ay else (side_of_edge > 0))
    return inside


def coarse_points(mask: NDArray[np.bool_], grid: int) -> int:
    """How many points of a coarse lattice fall on the mask.

    The lattice has ``grid`` points a side and covers twice the mask's longer side, centred on
    it. The smallest count of 16 lattices, quarter steps apart, so that the number does not hang on
    where the points happen to fall.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0
    extent = int(max(rows[-1] - rows[0], columns[-1] - columns[0])) + 1
    quarters = 4 * np.arange(grid)
    offsets = [(quarters + shift) * extent // (2 * grid) - extent for shift in range(4)]
    ys, xs = (
        [points[(points >= 0) & (points < size)] for points in (middle + o for o in offsets)]
        for middle, size in (
            (int(rows[0] + rows[-1] + 1) // 2, mask.shape[0]),
            (int(columns[0] + columns[-1] + 1) // 2, mask.shape[1]),
        )
    )
    return min(int(mask[y[:, None], x].sum()) for y in ys for x in xs)
