"""The axes of a chart: both logarithmic, so that equal ratios are equal lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from reports.efficiency_lines import Line, Reference

WIDTH, HEIGHT = 380, 290


class Scales(NamedTuple):
    """Both axes, so that charts beside each other can share them."""

    instances: Sequence[int]
    low: float
    high: float

    def x(self, instances: float) -> float:
        """Pixels from the left."""
        first, last = self.ends
        return WIDTH * math.log(instances / first) / math.log(last / first)

    def instances_at(self, x: float) -> float:
        """The number of regions that many pixels from the left."""
        first, last = self.ends
        return float(first * (last / first) ** (x / WIDTH))

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return HEIGHT * (1 - math.log(value / self.low) / math.log(self.high / self.low))

    def value_at(self, y: float) -> float:
        """The value that many pixels from the top."""
        return float(self.low * (self.high / self.low) ** (1 - y / HEIGHT))

    @property
    def ends(self) -> tuple[float, float]:
        """The axis of regions, a doubling wide at least."""
        first, last = min(self.instances), max(self.instances)
        return (first, last) if last > first else (first / 1.5, first * 1.5)


def scales(lines: Sequence[Line], references: Sequence[Reference] = ()) -> Scales:
    """Axes on which everything has room."""
    places = [place for line in lines for place in line.places]
    places += [place for reference in references for place in reference.places]
    values = [v for place in places for v in (place.value, place.high) if v]
    counts = {place.instances for place in places}
    counts |= {n for line in lines for n, _ in line.lacking}
    low, high = min(values), max(values)
    room = max(high / low, 2.0) ** 0.07
    return Scales(sorted(counts), low / room, high * room)


def ticks_125(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … within the axis; more on a short axis, fewer on a long one, never only one."""
    for steps in (range(1, 10), (1, 2, 5), (1, 3), (1,)):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [step * 10.0**decade for decade in decades for step in steps]
        inside = [float(f"{tick:.6g}") for tick in found if low <= tick <= high]
        if len(inside) <= (4 if len(steps) == 9 else 9):
            break
    return inside if len(inside) > 1 else _ticks_evenly(low, high)


def _ticks_evenly(low: float, high: float) -> list[float]:
    """Multiples of a round step, the coarsest of which three are within the axis."""
    decade = math.floor(math.log10(high - low))
    widths = [step * 10.0**at for at in (decade, decade - 1) for step in (5, 2, 1)]
    ticks = (
        [float(f"{at * width:.6g}") for at in range(math.ceil(low / width), int(high / width) + 1)]
        for width in widths
    )
    return next(found for found in ticks if len(found) > 2)


def ticks_doubling(low: float, high: float) -> list[float]:
    """1, 2, 4, 8, … within the axis, and a half and less below."""
    exponents = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    return [2.0**exponent for exponent in exponents]
