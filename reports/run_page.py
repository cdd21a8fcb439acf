"""One run's page: its scores, where it is weak, what it said there, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from reports import formatting, paths, provenance
from reports.board_page import SCORE_FIELDS, run_record, score_rows
from reports.export import Cell, csv_bytes, json_bytes
from reports.families import HEADLINE_METRICS
from reports.frames import Board, ReportError, RunReport
from reports.histogram import histogram
from reports.records import Run, Score, real, text
from reports.rendering import render
from reports.svg import Caption
from reports.text import Excerpt, excerpt

WORST_ANSWERS = 50
MOST_CATEGORIES = 1000
"""A page with more than this many categories shows as many of the lowest and highest."""

_REGION_COLUMNS = ("region_id", "image_id", "category", "reference", "text", "status")
_CATEGORY_COLUMNS = ("category", "metric", "protocol", "value", "count")


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One region: what was there, what the model said, and its scores by metric."""

    region_id: str
    image_id: str
    category: str
    reference: str
    text: str
    status: str
    values: tuple[float | None, ...]

    @property
    def shown(self) -> tuple[Excerpt, Excerpt]:
        """Reference and answer as a table cell can hold them."""
        return excerpt(self.reference), excerpt(self.text)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category's means by metric, and the regions they are over."""

    category: str
    count: int
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything the template prints, in order."""

    run: Run
    page: str
    metrics: tuple[str, ...]
    protocols: tuple[str, ...]
    scores: tuple[tuple[str, tuple[Score | None, ...]], ...]
    chart: Markup | None
    categories: tuple[CategoryRow, ...]
    category_total: int
    answers: tuple[AnswerRow, ...]
    command: str
    provenance: tuple[provenance.Group, ...]


def view(run: Run, report: RunReport) -> RunView:
    """Arrange one run's frames for its page.

    Raises:
        ReportError: a frame lacks a column.
    """
    _check(run, "regions", report.regions, _REGION_COLUMNS)
    _check(run, "categories", report.categories, _CATEGORY_COLUMNS)
    metrics = _headline(run)
    categories = _categories(run, report.categories, metrics) if run.complete else []
    command = report.manifest.get("command")
    return RunView(
        run=run,
        page=paths.run_page(run.run),
        metrics=metrics,
        protocols=_protocols(run),
        scores=_score_table(run),
        chart=_chart(run, report.regions) if run.complete else None,
        categories=tuple(_ends(categories)),
        category_total=len(categories),
        answers=tuple(_worst(run, report.regions, metrics)),
        command=command if isinstance(command, str) else "",
        provenance=tuple(provenance.groups(report.manifest)),
    )


def files(board: Board, run: Run, report: RunReport) -> Iterator[tuple[str, bytes]]:
    """Everything of one run by its path in the site: its page and the data beside it.

    Raises:
        ReportError: a frame lacks a column.
    """
    shown = view(run, report)
    yield shown.page, render("run.html.j2", page=shown.page, board=board, view=shown)
    yield from _data_files(shown, report.manifest)


def _data_files(shown: RunView, manifest: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    """The CSV and JSON beside the run's page, by path in the site."""
    stem = paths.run_stem(shown.run.run)
    names = [f"{metric}/{shown.run.protocol}" for metric in shown.metrics]
    answers: list[tuple[Cell, ...]] = [
        (*(getattr(row, column) for column in _REGION_COLUMNS), *row.values)
        for row in shown.answers
    ]
    categories: list[tuple[Cell, ...]] = [
        (row.category, row.count, *row.values) for row in shown.categories
    ]
    answer_columns = (*_REGION_COLUMNS, *names)
    category_columns = ("category", "count", *names)
    yield f"{stem}.scores.csv", csv_bytes(SCORE_FIELDS, score_rows(shown.run))
    yield f"{stem}.categories.csv", csv_bytes(category_columns, categories)
    yield f"{stem}.answers.csv", csv_bytes(answer_columns, answers)
    yield (
        f"{stem}.json",
        json_bytes(
            {
                **run_record(shown.run),
                "categories": [dict(zip(category_columns, r, strict=True)) for r in categories],
                "answers": [dict(zip(answer_columns, row, strict=True)) for row in answers],
                "manifest": manifest,
            }
        ),
    )


def _check(run: Run, name: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise ReportError(f"run {run.run!r}: the {name} frame lacks the column {column!r}")


def _headline(run: Run) -> tuple[str, ...]:
    scored = {score.metric for score in run.scores if score.protocol == run.protocol}
    others = (m for m in HEADLINE_METRICS if m in scored and m != run.main_metric)
    return run.main_metric, *others


def _protocols(run: Run) -> tuple[str, ...]:
    return tuple(dict.fromkeys([run.protocol, *(score.protocol for score in run.scores)]))


def _score_table(run: Run) -> tuple[tuple[str, tuple[Score | None, ...]], ...]:
    metrics = dict.fromkeys([run.main_metric, *(score.metric for score in run.scores)])
    protocols = _protocols(run)
    return tuple((metric, tuple(run.score(metric, p) for p in protocols)) for metric in metrics)


def _categories(run: Run, frame: pd.DataFrame, metrics: Sequence[str]) -> list[CategoryRow]:
    means: dict[str, dict[str, float | None]] = {}
    counts: dict[str, int] = {}
    own = frame[frame["protocol"] == run.protocol]
    for row in own.to_dict("records"):
        category = text(row["category"])
        means.setdefault(category, {})[text(row["metric"])] = real(row["value"])
        counts[category] = int(real(row["count"]) or 0)
    rows = [
        CategoryRow(category, counts[category], tuple(values.get(m) for m in metrics))
        for category, values in means.items()
    ]
    return sorted(rows, key=lambda row: (_last_if_none(row.values[0]), row.category))


def _ends(rows: list[CategoryRow]) -> list[CategoryRow]:
    half = MOST_CATEGORIES // 2
    return rows if len(rows) <= MOST_CATEGORIES else rows[:half] + rows[-half:]


def _worst(run: Run, frame: pd.DataFrame, metrics: Sequence[str]) -> Iterator[AnswerRow]:
    columns = [f"{metric}/{run.protocol}" for metric in metrics]
    main = columns[0]
    if main in frame.columns:
        frame = frame.sort_values([main, "region_id"], kind="stable", na_position="last")
    for row in frame.head(WORST_ANSWERS).to_dict("records"):
        yield AnswerRow(
            region_id=text(row["region_id"]),
            image_id=text(row["image_id"]),
            category=text(row["category"]),
            reference=text(row["reference"]),
            text=text(row["text"]),
            status=text(row["status"]),
            values=tuple(real(row.get(column)) for column in columns),
        )


def _chart(run: Run, frame: pd.DataFrame) -> Markup | None:
    column = f"{run.main_metric}/{run.protocol}"
    if column not in frame.columns:
        return None
    values = frame[column].dropna().tolist()
    if not values:
        return None
    metric = formatting.words(run.main_metric)
    perfect = sum(value >= 0.995 for value in values) / len(values)
    return histogram(
        values,
        Caption(
            "distribution",
            f"Regions by {metric}",
            f"{len(values)} regions; {perfect:.0%} of them at 99.5 points or more.",
        ),
        axis=f"{metric}, points",
    )


def _last_if_none(value: float | None) -> float:
    return float("inf") if value is None else value
