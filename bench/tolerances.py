"""How far a score may fall, with the unit beside the number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(points?|%)?\s*", re.ASCII)
_MOST = 100.0
_DECIMALS = 9  # scores have six, the rest is floating point's


class Unit(StrEnum):
    """What a tolerance is counted in."""

    POINTS = "points"
    PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A number of points of 100, as the board shows scores, or of per cent of the baseline."""

    amount: float
    unit: Unit

    def allows(self, baseline: float) -> float:
        """The largest drop, on the scale of ``baseline``, :func:`without_noise`."""
        share = self.amount / 100
        return without_noise(share * abs(baseline) if self.unit is Unit.PERCENT else share)

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit.value}"


def without_noise(value: float) -> float:
    """A drop or a tolerance as the two are compared: what floating point added is cut off."""
    return round(value, _DECIMALS)


def parse_tolerance(given: object) -> Tolerance:
    """A tolerance as people write it: ``0.5 points``, ``2 %``; a number alone is points.

    Raises:
        ValueError: it is neither, or not from 0 to 100.
    """
    if isinstance(given, Tolerance):
        return given
    amount, unit = math.nan, "points"
    if isinstance(given, str) and (found := _TEXT.fullmatch(given)):
        amount, unit = float(found[1]), found[2] or unit
    elif isinstance(given, (int, float)) and not isinstance(given, bool):
        amount = float(given)
    if not 0 <= amount <= _MOST:
        raise ValueError(
            f"{given!r} is no tolerance; write `0.5 points` (of 100) or `2 %` (of the baseline's "
            "score), from 0 to 100"
        )
    return Tolerance(amount, Unit.PERCENT if unit == "%" else Unit.POINTS)


def parse_share(given: object) -> Tolerance:
    """A tolerance in per cent, such as a slowdown's.

    Raises:
        ValueError: it is none, or not in per cent.
    """
    tolerance = parse_tolerance(given)
    if tolerance.unit is not Unit.PERCENT:
        raise ValueError(f"{given!r} has no unit for a speed; write `10 %`")
    return tolerance


GivenTolerance = Annotated[Tolerance, BeforeValidator(parse_tolerance)]
"""The type of a configuration's tolerance of scores."""

GivenShare = Annotated[Tolerance, BeforeValidator(parse_share)]
"""The type of a configuration's tolerance in per cent alone."""
