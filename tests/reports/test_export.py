"""The CSV beside the pages: what :mod:`csv` writes, in blocks that share their first cells."""

from __future__ import annotations

import csv
import io

import pytest

from reports.export import Cell, csv_blocks, csv_bytes
from reports.text import csv_text


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


def test_every_cell_is_written_as_the_csv_module_writes_it() -> None:
    cells: list[Cell] = [
        "",
        "a b",
        'quo"te',
        '"',
        "com,ma",
        "line\r\nend",
        "\n",
        "\t",
        "=1+1",
        "é\0",
    ]
    cells += [None, 0, -7, 10**20, 0.1, 1e-7, 3.0, -0.0, True, False]
    rows = [cells[at:] + cells[:at] for at in range(len(cells))]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    columns = [f'"{at}", x' for at in range(len(cells))]
    writer.writerow(columns)
    writer.writerows([csv_text(one) if isinstance(one, str) else one for one in r] for r in rows)
    assert csv_bytes(columns, rows) == target.getvalue().encode()


def test_an_empty_cell_alone_in_its_row_is_written_as_the_csv_module_writes_it() -> None:
    rows: list[tuple[Cell, ...]] = [("a",), (None,), ("",), (0,)]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([""])
    writer.writerows(rows)
    assert csv_bytes([""], rows) == target.getvalue().encode()
    assert b'\r\n""\r\n' in csv_bytes([""], rows)
