"""A comparison on a terminal."""

from __future__ import annotations

import click

from bench.output import note, print_table
from reports.compare_chart import signed
from reports.compare_page import p_value
from reports.compare_records import CategoryRow, Comparison, MetricRow, SpeedRow, verdict
from reports.formatting import points


def show(comparison: Comparison, *, categories: int) -> None:
    """Print the differences: metrics, regions, as many categories as asked for, speed."""
    first, second = comparison.first, comparison.second
    same = first.model == second.model
    click.echo(
        f"A  {first.run if same else first.model}\nB  {second.run if same else second.model}\n"
        f"on {comparison.suite} {comparison.suite_version}; differences are B − A, ×100\n"
    )
    for line in comparison.notes:
        note(f"note: {line}")
    print_table(
        ("metric", "protocol", "A", "B", "B − A [95 %]", "p", "B is"),
        [_metric(row) for row in comparison.metrics],
    )
    if comparison.regions:
        found = comparison.regions
        click.echo(
            f"regions by {found.metric}: B won {len(found.won):,}, lost {len(found.lost):,}, "
            f"{found.tied:,} alike, of {found.compared:,} compared ({found.total:,} in all)\n"
        )
    if categories and comparison.categories:
        _show_categories(comparison, categories)
    if comparison.speeds:
        print_table(
            (
                "regions",
                "asked",
                "A regions/s",
                "B regions/s",
                "B ÷ A [95 %]",
                "answers",
                "hardware",
            ),
            [_speed(row) for row in comparison.speeds],
            title="speed on equal hardware",
        )
    if comparison.speed_note:
        click.echo(f"speed: {comparison.speed_note}\n")


def _show_categories(comparison: Comparison, most: int) -> None:
    total = len(comparison.categories)
    differing = [row for row in comparison.categories if row.difference]
    if differing:
        print_table(
            ("category", "regions", "images", "A", "B", "B − A [95 %]", "p", "adjusted", "B is"),
            [_category(row, comparison) for row in differing[:most]],
            title=f"the surest {min(most, len(differing)):,} of {total:,} categories",
        )
    click.echo(
        f"{comparison.significant_categories:,} of {total:,} categories differ when all are looked "
        "at (Benjamini–Hochberg, false discovery rate 5 %)\n"
    )


def _metric(row: MetricRow) -> tuple[str, ...]:
    told = row.verdict.value
    if row.regions is not None:
        told += f" over {row.regions:,} regions"
    return (
        row.metric,
        row.protocol,
        _points(row.first),
        _points(row.second),
        _interval(row.difference, row.low, row.high),
        p_value(row.p),
        "; ".join(part for part in (told.strip(), row.note) if part),
    )


def _category(row: CategoryRow, comparison: Comparison) -> tuple[str, ...]:
    up = comparison.regions is None or comparison.regions.higher_is_better
    return (
        row.category,
        f"{row.regions:,}",
        f"{row.images:,}",
        points(row.first),
        points(row.second),
        _interval(row.difference, row.low, row.high),
        p_value(row.p),
        p_value(row.adjusted_p),
        verdict(row.difference, row.difference, up).value if row.significant else "undecided",
    )


def _speed(row: SpeedRow) -> tuple[str, ...]:
    return (
        str(row.instances),
        row.way,
        f"{row.first:.3g}",
        f"{row.second:.3g}",
        f"{row.ratio:.2f}× [{row.low:.2f}, {row.high:.2f}]",
        row.decoding,
        f"{row.hardware}, {row.dtype}",
    )


def _points(value: float | None) -> str:
    return "–" if value is None else points(value)


def _interval(difference: float | None, low: float | None, high: float | None) -> str:
    if difference is None:
        return "–"
    if low is None or high is None:
        return signed(difference)
    return f"{signed(difference)} [{signed(low)}, {signed(high)}]"
