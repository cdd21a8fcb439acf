"""The CSV and JSON beside the board's pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from operator import attrgetter

import pandas as pd

from reports import paths
from reports.export import Cell, csv_bytes, json_bytes
from reports.frames import PUBLISHED_COLUMNS, Board
from reports.published_difference import Counterparts
from reports.records import Run, Score

_RUN_FIELDS = tuple(field.name for field in dataclasses.fields(Run) if field.name != "scores")
SCORE_FIELDS = tuple(field.name for field in dataclasses.fields(Score))
_PRINTED_FIELDS = ("published", "published_source", "published_table", "difference")
_NOT_PRINTED: tuple[Cell, ...] = (None,) * len(_PRINTED_FIELDS)
_UNITS = {
    "runs": "fractions of 1",
    "published": "points (×100), as printed",
    "difference": "points (×100), ours minus published",
}


def published_file(board: Board) -> tuple[str, bytes]:
    """Every published row as CSV, with its path in the site."""
    rows = (tuple(row.values()) for row in _printed(board.published))
    return "published.csv", csv_bytes(PUBLISHED_COLUMNS, rows)


def data_files(
    stem: str, title: str, board: Board, runs: Sequence[Run], published: pd.DataFrame
) -> Iterator[tuple[str, bytes]]:
    """``<stem>.csv`` and ``<stem>.json`` of these runs; the JSON has the published rows too."""
    with_page = {report.run for report in board.pages}
    pages = {run.run: paths.run_page(run.run) if run.run in with_page else None for run in runs}
    counterparts = Counterparts.among(published)
    beside = {run.run: _beside(run, counterparts) for run in runs}
    yield (
        f"{stem}.csv",
        csv_bytes(
            (*_RUN_FIELDS, "page", *SCORE_FIELDS, *_PRINTED_FIELDS),
            (
                (*head, pages[run.run], *score, *beside[run.run].get(score[:2], _NOT_PRINTED))
                for run in runs
                for head in [_fields(run)]
                for score in score_rows(run)
            ),
        ),
    )
    yield (
        f"{stem}.json",
        json_bytes(
            {
                "title": title,
                "units": _UNITS,
                "runs": [
                    {
                        **run_record(run),
                        "page": pages[run.run],
                        "counterparts": [
                            dict(zip(("metric", "protocol", *_PRINTED_FIELDS), row, strict=True))
                            for key, cells in beside[run.run].items()
                            for row in [(*key, *cells)]
                        ],
                    }
                    for run in runs
                ],
                "published": _printed(published),
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
        return [_score_cells(score) for score in run.scores]
    return [(score.metric, score.protocol, None, None, None, score.count) for score in run.scores]


def _fields(run: Run) -> tuple[Cell, ...]:
    cells: tuple[Cell, ...] = attrgetter(*_RUN_FIELDS)(run)
    return cells


def _score_cells(score: Score) -> tuple[Cell, ...]:
    cells: tuple[Cell, ...] = attrgetter(*SCORE_FIELDS)(score)
    return cells


def _beside(run: Run, counterparts: Counterparts) -> dict[tuple[Cell, ...], tuple[Cell, ...]]:
    """What is published of the run's checkpoint, by metric and protocol of the run's own score."""
    found: dict[tuple[Cell, ...], tuple[Cell, ...]] = {}
    for score in run.scores:
        counterpart = counterparts.of(run, score.metric)
        if score.protocol == run.protocol and counterpart is not None:
            printed = counterpart.printed
            found[score.metric, score.protocol] = (
                printed.value,
                printed.source,
                printed.table,
                counterpart.difference,
            )
    return found


def _printed(published: pd.DataFrame) -> list[dict[str, Cell]]:
    return [
        {
            column: None if row[column] != row[column] else row[column]
            for column in PUBLISHED_COLUMNS
        }
        for row in published.to_dict("records")
    ]
