"""The curves of a chart: told apart by ink, dash pattern and marker, so also without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Style(NamedTuple):
    """How a curve looks; ``ink`` is a variable of the page's style sheet."""

    ink: str
    dash: tuple[int, ...]
    shape: str


_STAR = "M0,-1.1L.3,-.36L1.05,-.34L.46,.14L.65,.89L0,.45L-.65,.89L-.46,.14L-1.05,-.34L-.3,-.36Z"
STYLES = tuple(
    Style(f"var(--s{at})", dash, shape)
    for at, (dash, shape) in enumerate(
        (
            ((), "circle"),
            ((7, 3), "square"),
            ((2, 2), "triangle-up"),
            ((9, 3, 2, 3), "diamond"),
            ((13, 4), "triangle-down"),
            ((4, 2, 1, 2), "cross"),
            ((1, 3), "triangle-right"),
            ((9, 3, 2, 3, 2, 3), _STAR),
        ),
        start=1,
    )
)
"""A chart holds no more curves than there are styles."""


class Place(NamedTuple):
    """One point; ``high`` is the upper end of its whisker, in the value's unit."""

    instances: int
    value: float
    high: float | None = None


class Line(NamedTuple):
    """One model's curve, in order of ``instances``.

    ``stopped`` is the number of regions at which there was no value any more, and why.
    """

    label: str
    style: Style
    places: Sequence[Place]
    stopped: tuple[int, str] | None = None


class Reference(NamedTuple):
    """A line to compare with, named at its end."""

    label: str
    places: Sequence[Place]


def stop(lacking: Mapping[int, str], last: int) -> tuple[int, str] | None:
    """Where a curve stops that has its last value at ``last``.

    Args:
        lacking: why there is no value, by number of regions.
        last: the number of regions of the curve's last value.
    """
    after = min((n for n in lacking if n > last), default=None)
    return None if after is None else (after, lacking[after])
