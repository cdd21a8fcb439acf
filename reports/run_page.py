"""One run's page: its scores, where it is weak, what it said there, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from reports import paths, provenance, samples_page
from reports.board_data import SCORE_FIELDS, run_record, score_rows
from reports.compared import Compared
from reports.confusions import Confusions, confusions
from reports.export import csv_bytes, json_bytes
from reports.frames import Board, PageSource, ReportError, RunReport
from reports.records import Run
from reports.region_values import own_metrics
from reports.rendering import render
from reports.reproducing import Recipe, recipe
from reports.run_certificate import Certificate, certificate
from reports.run_efficiency import HEAD, EfficiencyTable, efficiency_tables
from reports.run_regions import (
    CATEGORY_COLUMNS,
    REGION_COLUMNS,
    WORST_ANSWERS,
    AnswerRow,
    CategoryRow,
    answer_rows,
    both_ends,
    category_rows,
    distribution,
)
from reports.run_scores import (
    GroupTable,
    ScoreRow,
    group_tables,
    headline_metrics,
    protocols,
    score_table,
)

_OF_THE_BOARD = ("rank", "ranked")
"""What of a run changes with every other run; its own page leaves that to the board."""


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything the template prints, in order.

    ``metrics`` head the columns of the categories, ``own`` those of the answers. ``answers`` are
    all regions, worst first; ``worst`` are those the page shows, the first of ``below`` with less
    than the full score and of ``unscored`` without one.
    """

    run: Run
    page: str
    metrics: tuple[str, ...]
    own: tuple[str, ...]
    protocols: tuple[str, ...]
    scores: tuple[ScoreRow, ...]
    groups: tuple[GroupTable, ...]
    chart: Markup | None
    categories: tuple[CategoryRow, ...]
    category_total: int
    confusions: Confusions
    answers: tuple[AnswerRow, ...]
    worst: tuple[AnswerRow, ...]
    below: int
    unscored: int
    certificate: Certificate
    efficiency: tuple[EfficiencyTable, ...]
    recipe: Recipe
    comparisons: tuple[Compared, ...]
    provenance: tuple[provenance.Group, ...]


def view(
    board: Board, run: Run, report: RunReport, comparisons: tuple[Compared, ...] = ()
) -> RunView:
    """Arrange one run's frames for its page.

    Raises:
        ReportError: a frame lacks a column.
    """
    _check(run, "regions", report.regions, REGION_COLUMNS)
    _check(run, "categories", report.categories, CATEGORY_COLUMNS)
    metrics = headline_metrics(run)
    own = own_metrics(run, report.regions)
    shown = tuple(metric for metric in metrics if metric in own) or own[:1]
    categories = category_rows(run, report.categories, metrics) if run.complete else []
    answers = tuple(answer_rows(run, report.regions, shown))
    lacking = [row for row in answers if not row.full]
    below = sum(row.scored for row in lacking)
    return RunView(
        run=run,
        page=paths.run_page(run.run),
        metrics=metrics,
        own=shown,
        protocols=protocols(run),
        scores=score_table(run),
        groups=group_tables(run) if run.complete else (),
        chart=distribution(run, report.regions) if run.complete else None,
        categories=tuple(both_ends(categories)),
        category_total=len(categories),
        confusions=confusions(report.regions),
        answers=answers,
        worst=tuple(lacking[:WORST_ANSWERS]),
        below=below,
        unscored=len(lacking) - below,
        certificate=certificate(run, report.manifest),
        efficiency=efficiency_tables(board, run),
        recipe=recipe(report.manifest),
        comparisons=comparisons,
        provenance=tuple(provenance.groups(provenance.without_hosts(report.manifest))),
    )


def files(
    board: Board, run: Run, source: PageSource, comparisons: tuple[Compared, ...] = ()
) -> Iterator[tuple[str, bytes]]:
    """Everything of one run by its path in the site: its pages and the data beside them.

    Raises:
        ReportError: a frame lacks a column.
    """
    report = source.load()
    shown = view(board, run, report, comparisons)
    yield (
        shown.page,
        render(
            "run.html.j2",
            page=shown.page,
            board=board,
            view=shown,
            samples=samples_page.path(run),
            fragment=samples_page.fragment,
            efficiency_head=HEAD,
        ),
    )
    yield from _data_files(shown, provenance.without_hosts(report.manifest))
    yield from samples_page.files(board, run, report.regions, source.suite_digest)


def _data_files(shown: RunView, manifest: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    """The CSV and JSON beside the run's page, by path in the site."""
    stem = paths.run_stem(shown.run.run)
    categories = [row.cells() for row in shown.categories]
    answer_columns = (*REGION_COLUMNS, *(f"{m}/{shown.run.protocol}" for m in shown.own))
    category_columns = (
        "category",
        "count",
        *(f"{metric}/{shown.run.protocol}" for metric in shown.metrics),
    )
    yield f"{stem}.scores.csv", csv_bytes(SCORE_FIELDS, score_rows(shown.run))
    yield f"{stem}.categories.csv", csv_bytes(category_columns, categories)
    yield f"{stem}.answers.csv", csv_bytes(answer_columns, (row.cells() for row in shown.answers))
    yield (
        f"{stem}.json",
        json_bytes(
            {
                **{k: v for k, v in run_record(shown.run).items() if k not in _OF_THE_BOARD},
                "categories": [dict(zip(category_columns, r, strict=True)) for r in categories],
                "confusions": [pair._asdict() for pair in shown.confusions.pairs],
                "answers": [
                    dict(zip(answer_columns, row.cells(), strict=True)) for row in shown.worst
                ],
                "manifest": manifest,
            }
        ),
    )


def _check(run: Run, name: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise ReportError(f"run {run.run!r}: the {name} frame lacks the column {column!r}")
