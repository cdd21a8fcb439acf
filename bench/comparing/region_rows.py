"""Which regions the second run won and lost, and what both said there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.comparing.common import CommonRegions
from reports.compare_records import RegionRow, Regions

if TYPE_CHECKING:
    import pandas as pd


def won_and_lost(common: CommonRegions, metric: str, protocol: str, *, better_up: bool) -> Regions:
    """The regions both runs have a score for, by who has the better one.

    Args:
        common: the regions of both runs.
        metric: a score that regions have.
        protocol: its protocol.
        better_up: whether larger scores are better.
    """
    column = f"{metric}/{protocol}"
    one, other = common.names(column)
    frame = common.frame.assign(difference=common.differences(column))
    counted = frame[common.scored(column)]
    higher = counted[counted["difference"] > 0].sort_values(
        ["difference", "region_id"], ascending=[False, True]
    )
    lower = counted[counted["difference"] < 0].sort_values(["difference", "region_id"])
    won, lost = (higher, lower) if better_up else (lower, higher)
    return Regions(
        metric=metric,
        protocol=protocol,
        higher_is_better=better_up,
        compared=len(counted),
        total=common.total,
        won=tuple(_rows(won, one, other)),
        lost=tuple(_rows(lost, one, other)),
    )


def _rows(frame: pd.DataFrame, one: str, other: str) -> Iterator[RegionRow]:
    for row in frame.to_dict("records"):
        yield RegionRow(
            region_id=str(row["region_id"]),
            image_id=str(row["image_id"]),
            category=str(row["category"]),
            reference=str(row["reference"]),
            first_text=str(row["text_first"]),
            second_text=str(row["text_second"]),
            first_status=str(row["status_first"]),
            second_status=str(row["status_second"]),
            first=float(row[one]),
            second=float(row[other]),
            difference=float(row["difference"]),
        )
