"""The CSV beside the pages: blocks that share their first cells read as any rows."""

from __future__ import annotations

import csv
import io

import pytest

from reports.export import Cell, csv_blocks, csv_bytes


@pytest.mark.parametrize(
    "shared",
    [("a",), ("two\nlines", 'quo"te', "com,ma"), ("ends in\r\n",), (None, 0.1), ("=1+1", None)],
)
def test_a_block_s_shared_cells_begin_every_row_of_it(shared: tuple[Cell, ...]) -> None:
    columns = [*(f"shared {at}" for at in range(len(shared))), "own"]
    blocks: list[tuple[tuple[Cell, ...], list[tuple[Cell, ...]]]] = [
        (shared, [(1,), ("x\r\n",), (None,)]),
        (shared[::-1], [(2,)]),
        (shared, []),
    ]
    written = csv_blocks(columns, blocks)
    rows = [(*first, *own) for first, owns in blocks for own in owns]
    assert list(csv.reader(io.StringIO(written.decode(), newline=""))) == list(
        csv.reader(io.StringIO(csv_bytes(columns, rows).decode(), newline=""))
    )
    assert written.startswith(csv_bytes(columns, []))
