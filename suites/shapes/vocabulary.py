"""What shapes are called: a colour and a shape."""

from __future__ import annotations

from suites.shapes.geometry import SHAPES

COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (24, 24, 24),
    "blue": (35, 85, 235),
    "brown": (110, 62, 25),
    "cyan": (60, 215, 230),
    "green": (20, 120, 45),
    "lime": (150, 235, 60),
    "navy": (20, 25, 110),
    "orange": (245, 135, 20),
    "pink": (250, 150, 200),
    "purple": (130, 45, 175),
    "red": (215, 25, 35),
    "white": (245, 245, 245),
    "yellow": (245, 230, 40),
}
"""Red, green and blue, before a shape's tint and the noise."""

NAMES: tuple[str, ...] = tuple(sorted(f"{c} {s}" for c in COLOURS for s in SHAPES))
