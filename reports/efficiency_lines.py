"""The curves of a chart: told apart by ink, dash pattern and marker, so also without colour."""

from __future__ import annotations

from collections.abc import Sequence
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


class Mark(NamedTuple):
    """Where a curve lacks a value: drawn level with the value that leads there from ``beside``."""

    instances: int
    beside: int
    value: float


class Line(NamedTuple):
    """One model's curve, in order of ``instances``.

    ``lacking`` holds the numbers of regions that have no value, in order, and why.
    """

    label: str
    style: Style
    places: Sequence[Place]
    lacking: Sequence[tuple[int, str]] = ()

    @property
    def stopped(self) -> str:
        """Why there is no value after the last one; empty where nothing more was asked."""
        last = self.places[-1].instances
        return next((why for n, why in self.lacking if n > last), "")

    @property
    def end(self) -> int:
        """The most regions that the curve or its marks reach."""
        return max(self.places[-1].instances, *(n for n, _ in self.lacking), 0)

    @property
    def pieces(self) -> list[list[Place]]:
        """The places that may be joined: no number between them lacks a value."""
        pieces: dict[int, list[Place]] = {}
        for place in self.places:
            before = sum(n < place.instances for n, _ in self.lacking)
            pieces.setdefault(before, []).append(place)
        return list(pieces.values())

    @property
    def marks(self) -> list[Mark]:
        """One per number that lacks a value, led to from the last value before it.

        Numbers before the first value are led to from there.
        """
        asked = [place.instances for place in self.places] + [n for n, _ in self.lacking]
        marks = []
        for n, _ in self.lacking:
            before = [place.value for place in self.places if place.instances < n]
            beside = max(m for m in asked if m < n) if before else min(m for m in asked if m > n)
            marks.append(Mark(n, beside, before[-1] if before else self.places[0].value))
        return marks


class Reference(NamedTuple):
    """A line to compare with, named at its end."""

    label: str
    places: Sequence[Place]
