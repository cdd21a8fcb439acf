"""The page of two runs laid side by side, and the CSV and JSON beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path

from markupsafe import Markup

from reports import paths
from reports.compare_chart import LEFT, chart, signed
from reports.compare_records import Comparison, MetricRow, RegionRow, Side, verdict
from reports.compared import FOLDER, RUNS_SUFFIX
from reports.export import Cell, csv_bytes, json_bytes
from reports.rendering import asset, render
from reports.text import excerpt
from reports.writing import write_folder

MOST_REGIONS = 100
"""A page shows as many won and as many lost regions; the files beside it have all."""
MOST_CATEGORIES = 1000

METRIC_COLUMNS = (
    "metric",
    "protocol",
    "first",
    "second",
    "difference",
    "low",
    "high",
    "p",
    "basis",
    "regions",
    "note",
)
CATEGORY_COLUMNS = (
    "category",
    "regions",
    "images",
    "first",
    "second",
    "difference",
    "low",
    "high",
    "p",
    "adjusted_p",
)
REGION_COLUMNS = tuple(RegionRow.__slots__)


def write_comparison(comparison: Comparison, folder: Path, title: str) -> Path:
    """Write the comparison's page into the site's folder, beside whatever lies there.

    Args:
        comparison: what to show.
        folder: the site's folder; made when it is not there.
        title: the site's title.

    Returns:
        The page.

    Raises:
        ReportError: the folder or a file in it cannot be written.
    """
    linked = {
        page
        for page in (paths.INDEX, *(paths.run_page(side.run) for side in _sides(comparison)))
        if (folder / page).is_file()
    }
    stem = page_stem(comparison)
    write_folder(folder, files(comparison, title, linked), only=(f"{stem}.",))
    return folder / f"{stem}.html"


def page_stem(comparison: Comparison) -> str:
    """The path of the comparison's files in the site, without their suffix."""
    runs = "\n".join(side.run for side in _sides(comparison))
    digest = hashlib.sha256(runs.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    names = (comparison.suite, *(side.model for side in _sides(comparison)))
    readable = "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:40] for name in names)
    return f"{FOLDER}/{readable}-{digest}"


def files(
    comparison: Comparison, title: str, linked: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """The page and its data by path in the site; ``linked`` are pages of the site it may link."""
    stem = page_stem(comparison)
    page = f"{stem}.html"
    yield (
        page,
        render(
            "compare.html.j2",
            page=page,
            title=title,
            c=comparison,
            sides=tuple(zip("AB", _sides(comparison), strict=True)),
            linked=linked,
            stem=stem,
            figure=chart(_headline(comparison)),
            left=LEFT,
            facts=_facts(comparison),
            categories=comparison.categories[:MOST_CATEGORIES],
            most=MOST_REGIONS,
            signed=signed,
            p_value=p_value,
            excerpt=excerpt,
            verdict=verdict,
            page_style=Markup(asset("compare.css")),
        ),
    )
    yield f"{stem}.metrics.csv", csv_bytes(METRIC_COLUMNS, _metric_rows(comparison))
    if comparison.categories:
        yield f"{stem}.categories.csv", _category_csv(comparison)
    if comparison.regions:
        rows = (*comparison.regions.won, *comparison.regions.lost)
        cells = ([getattr(row, name) for name in REGION_COLUMNS] for row in rows)
        yield f"{stem}.regions.csv", csv_bytes(REGION_COLUMNS, cells)
    yield f"{stem}.json", json_bytes(record(comparison))
    first, second = ({"run": s.run, "digest": s.digest} for s in _sides(comparison))
    yield f"{stem}{RUNS_SUFFIX}", json_bytes({"first": first, "second": second})


def record(comparison: Comparison) -> dict[str, object]:
    """The whole comparison as JSON values; differences are second minus first."""
    values = asdict(comparison)
    for row, found in zip(values["metrics"], comparison.metrics, strict=True):
        row["verdict"] = found.verdict.value
    for row, category in zip(values["categories"], comparison.categories, strict=True):
        row["significant"] = category.significant
        own = zip(comparison.own_metrics, category.own, strict=True)
        row["own"] = {name: {"first": one, "second": other} for name, (one, other) in own}
    for side in ("first", "second"):
        values[side]["facts"] = dict(values[side]["facts"])
    if comparison.regions:
        values["regions"]["tied"] = comparison.regions.tied
    return values


def p_value(p: float | None) -> str:
    """Three decimals: ``"0.002"``, ``"<0.001"``."""
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _sides(comparison: Comparison) -> tuple[Side, Side]:
    return comparison.first, comparison.second


def _headline(comparison: Comparison) -> list[MetricRow]:
    """Scores over everything under the main protocol, the suite's main one first."""
    rows = [
        row
        for row in comparison.metrics
        if row.protocol == comparison.protocol and "[" not in row.metric
    ]
    return sorted(rows, key=lambda row: row.metric != comparison.main_metric)


def _facts(comparison: Comparison) -> list[tuple[str, str, str]]:
    second = dict(comparison.second.facts)
    return [(term, value, second[term]) for term, value in comparison.first.facts]


def _metric_rows(comparison: Comparison) -> Iterator[list[Cell]]:
    for row in comparison.metrics:
        yield [getattr(row, name) for name in METRIC_COLUMNS]


def _category_csv(comparison: Comparison) -> bytes:
    own = [f"{name}/{side}" for name in comparison.own_metrics for side in ("first", "second")]
    rows = (
        [
            *(getattr(row, name) for name in CATEGORY_COLUMNS),
            *(value for values in row.own for value in values),
        ]
        for row in comparison.categories
    )
    return csv_bytes((*CATEGORY_COLUMNS, *own), rows)
