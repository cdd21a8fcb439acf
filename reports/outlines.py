"""Masks as outlines: few points, holes and parts kept, as SVG path data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

TENTHS = 10
"""Path data count in tenths of a pixel, so that they hold whole numbers only."""

_MOST_CORNERS = 20_000
_MOST_LOOPS = 20
_POINTS = 60
_POINTS_OF_A_FURTHER_LOOP = 16
_STAIR = 2.0
"""Edges up to this long, in the mask's pixels, are stairs of a slanted or round boundary."""

_LEAST_EXTENT = 1.0
_LEAST_AREA = 0.5

Points = NDArray[np.float64]


def outline(mask: NDArray[np.bool_], scale: float) -> str:
    """The boundary of ``mask`` as SVG path data, to be filled by the even-odd rule.

    Pixels are squares: the outline of a mask's pixel at column 3 runs from x = 3 to x = 4. Points
    that stick out of the line between their neighbours the least are left out first
    (Douglas-Peucker), until about 60 are left, and some more where there are several parts;
    specks are left out where there are larger parts.

    Args:
        mask: bool ``[height, width]``.
        scale: what a mask's pixel measures on the picture that is drawn on.

    Returns:
        Whole numbers in tenths of the drawn picture's pixel; empty for an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return ""
    top, left = int(rows[0]), int(columns[0])
    cut = mask[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    coarse, step = _coarser(cut)
    shift = np.array([left, top])
    loops = _largest([(_smoothed(points) * step + shift) * scale for points in _boundaries(coarse)])
    if _extent(loops[0]) < _LEAST_EXTENT:
        return _path([_square(loops[0])])
    return _path(_simplified(loops, least=max(0.3, 0.5 * scale * step)))


def _coarser(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """``mask``, or where it is speckled all over, one of larger pixels; and their size."""
    step = 1
    while step < 64 and np.count_nonzero(_corners(mask)) > _MOST_CORNERS:
        step *= 2
        height, width = (-(-side // 2) * 2 for side in mask.shape)
        padded = np.zeros((height, width), dtype=np.bool_)
        padded[: mask.shape[0], : mask.shape[1]] = mask
        mask = padded.reshape(height // 2, 2, width // 2, 2).sum(axis=(1, 3)) >= 2
    return (mask, step) if mask.any() else (np.ones((1, 1), dtype=np.bool_), step)


def _corners(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """How often a boundary turns at every grid point ``[height + 1, width + 1]``: 0, 1 or 2."""
    padded = np.pad(mask, 1)
    above, below = padded[:-1], padded[1:]
    odd = above[:, :-1] ^ above[:, 1:] ^ below[:, :-1] ^ below[:, 1:]
    touching = (above[:, :-1] == below[:, 1:]) & (above[:, 1:] == below[:, :-1])
    crossing = touching & (above[:, :-1] != above[:, 1:])
    turns: NDArray[np.uint8] = odd.astype(np.uint8) + 2 * crossing.astype(np.uint8)
    return turns


def _boundaries(mask: NDArray[np.bool_]) -> Iterator[Points]:
    """Every closed boundary by its corners.

    Along a row, boundaries run between the first and second corner, the third and fourth, and so
    on, and so they do along a column: following both in turn walks round a boundary.
    """
    turns = _corners(mask)
    ys, xs = np.nonzero(turns)
    times = turns[ys, xs]
    ys, xs = np.repeat(ys, times), np.repeat(xs, times)
    numbers = np.arange(len(ys))
    down = np.lexsort((numbers, ys, xs))
    vertical = np.empty_like(numbers)
    vertical[down[0::2]], vertical[down[1::2]] = down[1::2], down[0::2]
    across: list[int] = (numbers ^ 1).tolist()
    along: list[int] = vertical.tolist()
    seen = bytearray(len(across))
    for start in range(len(across)):
        if seen[start]:
            continue
        walked, at = [], start
        while not seen[at]:
            other = across[at]
            seen[at] = seen[other] = 1
            walked += [at, other]
            at = along[other]
        yield np.stack([xs[walked], ys[walked]], axis=1).astype(np.float64)


def _weights(points: Points, least: float) -> NDArray[np.float64]:
    """How far each point of a closed line sticks out; 0 where that is less than ``least``.

    The first point, the one farthest from it and the one farthest from both always stay.
    """
    closed = np.concatenate([points, points[:1]])
    weights = np.zeros(len(closed))
    far = int(np.argmax(np.hypot(*(closed - closed[0]).T)))
    weights[[0, far]] = np.inf
    spans = [(0, far, np.inf), (far, len(closed) - 1, np.inf)]
    while spans:
        first, last, above = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(closed[first + 1 : last], closed[first], closed[last])
        at = int(np.argmax(distances))
        weight = min(above, float(distances[at]))
        at += first + 1
        if np.isinf(above) or weight > least:
            weights[at] = weight
        if weight > least:
            spans += [(first, at, weight), (at, last, weight)]
    inner = np.where(np.isinf(weights[:-1]), -1, weights[:-1])
    weights[int(np.argmax(inner))] = np.inf
    return weights[:-1]


def _distances(points: Points, start: Points, end: Points) -> NDArray[np.float64]:
    """How far each point lies from the stretch between ``start`` and ``end``."""
    along = end - start
    length = float(np.hypot(*along))
    offsets = points - start
    if length > 0:
        part = np.clip(offsets @ along / length**2, 0, 1)
        offsets = offsets - part[:, None] * along
    distances: NDArray[np.float64] = np.hypot(offsets[:, 0], offsets[:, 1])
    return distances


def _smoothed(corners: Points) -> Points:
    """A boundary with its stairs cut through their middles; other corners stay."""
    edges = np.roll(corners, -1, axis=0) - corners
    stairs = np.abs(edges).sum(axis=1) <= _STAIR
    middles = corners + edges / 2
    kept = ~stairs & ~np.roll(stairs, 1)
    order = np.argsort(np.concatenate([np.flatnonzero(kept), np.flatnonzero(stairs) + 0.5]))
    smooth: Points = np.concatenate([corners[kept], middles[stairs]])[order]
    small = np.ptp(corners, axis=0).min() < 2 * _STAIR
    return corners if small or len(smooth) < 4 else smooth


def _largest(loops: Sequence[Points]) -> list[Points]:
    """The loops worth drawing, largest first."""
    areas = [_area(loop) for loop in loops]
    order = sorted(range(len(loops)), key=lambda number: -areas[number])[:_MOST_LOOPS]
    large = [number for number in order if areas[number] >= _LEAST_AREA]
    return [loops[number] for number in large or order[:1]]


def _area(points: Points) -> float:
    x, y = points.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _simplified(loops: Sequence[Points], least: float) -> list[Points]:
    weights = [_weights(loop, least) for loop in loops]
    ranked = np.sort(np.concatenate(weights))[::-1]
    most = _POINTS + _POINTS_OF_A_FURTHER_LOOP * (len(loops) - 1)
    tolerance = max(least, float(ranked[most])) if len(ranked) > most else least
    return [loop[weight > tolerance] for loop, weight in zip(loops, weights, strict=True)]


def _extent(points: Points) -> float:
    return float(np.ptp(points, axis=0).min())


def _square(points: Points) -> Points:
    """A box around ``points``, large enough to be seen."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = np.maximum(high - low, _LEAST_EXTENT) / 2
    (left, top), (right, bottom) = (low + high) / 2 - half, (low + high) / 2 + half
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _path(loops: Sequence[Points]) -> str:
    parts, before = [], np.zeros(2, dtype=np.int64)
    for points in loops:
        whole = np.rint(points * TENTHS).astype(np.int64)
        steps = np.diff(np.concatenate([before[None], whole]), axis=0)
        parts.append(f"m{_pairs(steps[:1])}l{_pairs(steps[1:])}z")
        before = whole[0]
    return f"M0 0{''.join(parts)}"


def _pairs(steps: NDArray[np.int64]) -> str:
    return " ".join(f"{x} {y}" for x, y in steps.tolist()).replace(" -", "-")
