"""What a model makes of a picture before it sees one."""

from __future__ import annotations

from typing import NamedTuple


class Cut(NamedTuple):
    """How a picture is cut, and how long its regions are.

    ``tiles`` is ``"12+1"`` for twelve and a thumbnail, ``"1"`` for one, and empty for models that
    cut no tiles. ``region_tokens`` is how many prompt positions a computed cost assumes of each
    region, ``None`` where a region takes a fixed number.
    """

    tiles: str = ""
    region_tokens: int | None = None
