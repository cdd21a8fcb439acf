"""Published rows arranged as papers print them: methods × (suite, metric)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from reports.records import real, rows_of, text


class PublishedColumn(NamedTuple):
    """One group of columns; two sets or protocols never share one."""

    suite: str
    protocol: str
    set: str
    metrics: tuple[str, ...]


class Method(NamedTuple):
    """What a paper's line is about, and where it is printed."""

    name: str
    year: str
    billions: float | None
    variant: str
    source: str
    table: str


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One line; ``cells`` follow the columns' metrics and are empty where nothing is printed."""

    method: Method
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """Methods as papers compare them, best first, and the variants of one method's ablations."""

    columns: tuple[PublishedColumn, ...]
    methods: tuple[PublishedRow, ...]
    variants: tuple[PublishedRow, ...]


class _Cell(NamedTuple):
    method: Method
    suite: str
    protocol: str
    set: str
    metric: str
    value: float


def arrange(
    published: pd.DataFrame, suites: Sequence[str], metrics: Sequence[str]
) -> PublishedTable:
    """The rows of ``suites`` and ``metrics``; columns follow those orders.

    Every number keeps the decimals of the paper's table.
    """
    cells = _cells(published[shown(published, suites, metrics)])
    columns = _columns(cells, suites, metrics)
    decimals = decimals_of_tables(published)
    lines: dict[Method, dict[tuple[str, ...], float]] = {}
    for cell in cells:
        lines.setdefault(cell.method, {})[cell.suite, cell.protocol, cell.set, cell.metric] = (
            cell.value
        )
    keys = [
        (column.suite, column.protocol, column.set, metric)
        for column in columns
        for metric in column.metrics
    ]
    rows = [
        PublishedRow(
            method,
            tuple(
                f"{values[key]:.{decimals[method.source, method.table]}f}" if key in values else ""
                for key in keys
            ),
        )
        for method, values in lines.items()
    ]
    rows.sort(key=_best_first)
    comparing = _comparing(rows)
    ablations = [row for row in rows if row.method.variant and row.method[-2:] not in comparing]
    return PublishedTable(
        columns,
        methods=tuple(row for row in rows if row not in ablations),
        variants=tuple(sorted(ablations, key=lambda row: row.method.table)),
    )


def shown(
    published: pd.DataFrame, suites: Sequence[str], metrics: Sequence[str]
) -> pd.Series[bool]:
    """Which rows are of ``suites`` and ``metrics``."""
    return published["suite"].isin(suites) & published["metric"].isin(metrics)


def decimals_of_tables(published: pd.DataFrame) -> dict[tuple[str, str], int]:
    """How many decimals each ``(source, table)`` prints: as many as its longest number has."""
    found: dict[tuple[str, str], int] = {}
    for row in rows_of(published):
        place = (text(row["source"]), text(row["table"]))
        value = real(row["value"])
        found[place] = max(found.get(place, 1), 0 if value is None else _decimals(value))
    return found


def _comparing(rows: Sequence[PublishedRow]) -> set[tuple[str, str]]:
    """The ``(source, table)`` that compare methods; the variants of any other are an ablation."""
    names: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        names.setdefault((row.method.source, row.method.table), set()).add(row.method.name)
    return {place for place, found in names.items() if len(found) > 1}


def _cells(published: pd.DataFrame) -> list[_Cell]:
    return [
        _Cell(
            Method(
                name=text(row["method"]),
                year=text(row["year"]).removesuffix(".0"),
                billions=real(row["params_b"]),
                variant=text(row["variant"]),
                source=text(row["source"]),
                table=text(row["table"]),
            ),
            text(row["suite"]),
            text(row["protocol"]),
            text(row["set"]),
            text(row["metric"]),
            value,
        )
        for row in rows_of(published)
        if (value := real(row["value"])) is not None
    ]


def _columns(
    cells: Sequence[_Cell], suites: Sequence[str], metrics: Sequence[str]
) -> tuple[PublishedColumn, ...]:
    groups: dict[tuple[str, str, str], set[str]] = {}
    for cell in cells:
        groups.setdefault((cell.suite, cell.protocol, cell.set), set()).add(cell.metric)
    return tuple(
        PublishedColumn(*group, tuple(m for m in metrics if m in groups[group]))
        for group in sorted(groups, key=lambda group: (suites.index(group[0]), group))
    )


def _best_first(row: PublishedRow) -> tuple[tuple[float, ...], str]:
    return tuple(-float(cell) if cell else 1.0 for cell in row.cells), row.method.name


def _decimals(value: float) -> int:
    return len(f"{value:.4f}".rstrip("0").partition(".")[2])
