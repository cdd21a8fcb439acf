"""How WOW-Seg cuts a picture, told from its size and the settings alone."""

from __future__ import annotations

from adapters.cuts import Cut
from adapters.interface import JsonScalar
from adapters.wow_seg.configuration import WowSegConfig
from adapters.wow_seg.preprocessing import RegionTokens, choose_grid
from adapters.wow_seg.settings import Settings

REGION_TOKENS = 27  # of an LVIS mask on average (paper, section 4.1)


def cut(size: tuple[int, int], **settings: JsonScalar) -> Cut:
    """Tiles of a picture of ``size`` pixels, and how many of its crop's tokens a region keeps."""
    config, read = WowSegConfig(), Settings.read(settings)
    # The side of a tile decides only between equally fitting grids; all published ones have 448.
    columns, rows = choose_grid(*size, read.max_tiles, config.image_size)
    tiles = columns * rows
    return Cut("1" if tiles == 1 else f"{tiles}+1", kept_tokens(read, config))


def kept_tokens(settings: Settings, config: WowSegConfig) -> int:
    """Tokens that a mask of average size leaves of its crop, or all of them."""
    masked = settings.region_tokens is RegionTokens.MASK2TOKEN
    return REGION_TOKENS if masked else config.tokens_per_tile
