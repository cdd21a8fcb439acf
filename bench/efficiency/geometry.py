"""The picture of a record: its size, and what the model makes of it."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.interface import JsonScalar
from adapters.registry import AdapterEntry
from bench.efficiency.records import Geometry


def geometry_of(
    entry: AdapterEntry,
    settings: Mapping[str, JsonScalar],
    picture: tuple[int, int],
    *,
    costed: bool,
) -> Geometry:
    """The picture's size, and how the model's adapter says that it is cut.

    Args:
        entry: the model's adapter.
        settings: the adapter's, as given.
        picture: width and height in pixels.
        costed: regions are those of a computed cost, of fixed length, rather than real masks.

    Raises:
        SettingError: a setting cannot be used.
    """
    width, height = picture
    cut = entry.cut(picture, **settings)
    return Geometry(
        width=width,
        height=height,
        tiles=cut.tiles,
        region_tokens=cut.region_tokens if costed else None,
    )
