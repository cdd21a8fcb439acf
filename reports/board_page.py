"""The board: what its page shows, and its CSV and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reports import board_rows, paths, published_table
from reports.board_charts import Figure, figures
from reports.board_rows import Reproduced
from reports.export import Cell, csv_bytes, json_bytes
from reports.families import HEADLINE_METRICS, Family, families
from reports.frames import PUBLISHED_COLUMNS, Board
from reports.published_table import PublishedTable
from reports.records import Run, Score

_RUN_FIELDS = tuple(field.name for field in dataclasses.fields(Run) if field.name != "scores")
SCORE_FIELDS = tuple(field.name for field in dataclasses.fields(Score))


class Section(NamedTuple):
    """One family's part of the board."""

    key: str
    family: Family
    reproduced: Reproduced
    figures: tuple[Figure, ...]
    published: PublishedTable


def sections(board: Board, runs: Sequence[Run]) -> list[Section]:
    """The board's families in order, each with its tables and charts."""
    made = []
    for family in families(run.suite for run in runs):
        reproduced = board_rows.arrange(runs, family)
        metrics = dict.fromkeys(
            (*(column.metrics[0] for column in reproduced.columns), *HEADLINE_METRICS)
        )
        made.append(
            Section(
                paths.slug(family.key),
                family,
                reproduced,
                tuple(figures(reproduced)),
                published_table.arrange(board.published, family.suites, tuple(metrics)),
            )
        )
    return made


def board_files(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    """The CSV and JSON beside the board, by path in the site."""
    with_page = {report.run for report in board.pages}
    pages = {run.run: paths.run_page(run.run) if run.run in with_page else None for run in runs}
    yield (
        "index.csv",
        csv_bytes(
            (*_RUN_FIELDS, "page", *SCORE_FIELDS),
            (
                (*head, pages[run.run], *score)
                for run in runs
                for head in [_fields(run)]
                for score in score_rows(run)
            ),
        ),
    )
    printed: list[dict[str, Cell]] = [
        {
            column: None if row[column] != row[column] else row[column]
            for column in PUBLISHED_COLUMNS
        }
        for row in board.published.to_dict("records")
    ]
    yield "published.csv", csv_bytes(PUBLISHED_COLUMNS, (tuple(row.values()) for row in printed))
    yield (
        "index.json",
        json_bytes(
            {
                "title": board.title,
                "units": {"runs": "fractions of 1", "published": "points (×100), as printed"},
                "runs": [{**run_record(run), "page": pages[run.run]} for run in runs],
                "published": printed,
            }
        ),
    )


def run_record(run: Run) -> dict[str, object]:
    """A run as JSON values; the numbers of an incomplete run are left out."""
    return {
        **dict(zip(_RUN_FIELDS, _fields(run), strict=True)),
        "scores": [dict(zip(SCORE_FIELDS, score, strict=True)) for score in score_rows(run)],
    }


def score_rows(run: Run) -> list[tuple[Cell, ...]]:
    """The run's scores in the order of ``SCORE_FIELDS``, without values when it is incomplete."""
    if run.complete:
        return [dataclasses.astuple(score) for score in run.scores]
    return [(score.metric, score.protocol, None, None, None, score.count) for score in run.scores]


def _fields(run: Run) -> tuple[Cell, ...]:
    return tuple(getattr(run, name) for name in _RUN_FIELDS)
