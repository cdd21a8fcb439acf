"""What a model makes of a picture, before it sees one."""

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
    """The picture's size and, for WOW-Seg, how it is cut.

    Args:
        entry: the model's adapter.
        settings: the adapter's, as given.
        picture: width and height in pixels.
        costed: regions are those of a computed cost, of fixed length, rather than real masks.
    """
    width, height = picture
    tiles, region_tokens = "", None
    if entry.name == "wow-seg":
        tiles = _tiles(settings, width, height)
        region_tokens = _region_tokens(settings) if costed else None
    return Geometry(width=width, height=height, tiles=tiles, region_tokens=region_tokens)


def _tiles(settings: Mapping[str, JsonScalar], width: int, height: int) -> str:
    from adapters.wow_seg.configuration import WowSegConfig
    from adapters.wow_seg.preprocessing import choose_grid
    from adapters.wow_seg.settings import Settings

    # The side of a tile decides only between equally fitting grids; all published ones have 448.
    columns, rows = choose_grid(
        width, height, Settings.read(settings).max_tiles, WowSegConfig().image_size
    )
    return "1" if columns * rows == 1 else f"{columns * rows}+1"


def _region_tokens(settings: Mapping[str, JsonScalar]) -> int:
    from adapters.wow_seg.configuration import WowSegConfig
    from adapters.wow_seg.cost import REGION_TOKENS
    from adapters.wow_seg.preprocessing import RegionTokens
    from adapters.wow_seg.settings import Settings

    masked = Settings.read(settings).region_tokens is RegionTokens.MASK2TOKEN
    return REGION_TOKENS if masked else WowSegConfig().tokens_per_tile
