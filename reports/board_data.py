"""The CSV and JSON beside the board's pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

import pandas as pd

from reports import paths
from reports.export import Cell, csv_blocks, csv_bytes, json_bytes
from reports.frames import PUBLISHED_COLUMNS, Board
from reports.published_difference import Counterparts
from reports.records import Run, Score, rows_of

_RUN_FIELDS = tuple(field.name for field in dataclasses.fields(Run) if field.name != "scores")
SCORE_FIELDS = tuple(field.name for field in dataclasses.fields(Score))
_NUMBER_FIELDS = ("value", "low", "high", "count")
_OF_THE_MAIN = ("rank", "ranked")
_PRINTED_FIELDS = (
    "published",
    "published_source",
    "published_table",
    "published_set",
    "published_protocol",
    "published_unlike",
    "difference",
)
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


def index_files(
    board: Board, runs: Sequence[Run], counterparts: Counterparts, families: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """``index.csv`` and ``index.json``: every run with its main score alone.

    ``families`` are the JSON files that hold the other scores, by the family's title.
    """
    pages = _pages(board, runs)
    columns = (*_RUN_FIELDS, "page", *_NUMBER_FIELDS, *_PRINTED_FIELDS)
    rows = [
        (*_fields(run), pages[run.run], *_main(run), *_beside(run, run.main_metric, counterparts))
        for run in runs
    ]
    yield "index.csv", csv_bytes(columns, rows)
    yield (
        "index.json",
        json_bytes(
            {
                "title": board.title,
                "units": _UNITS,
                "all_scores": families,
                "runs": [dict(zip(columns, row, strict=True)) for row in rows],
                "published": _printed(board.published),
            }
        ),
    )


def family_files(
    stem: str,
    title: str,
    board: Board,
    runs: Sequence[Run],
    counterparts: Counterparts,
    published: pd.DataFrame,
) -> Iterator[tuple[str, bytes]]:
    """``<stem>.csv`` and ``<stem>.json``: all scores; the JSON has the published rows too.

    A rank is the main metric's: the CSV has it in that line only.
    """
    pages = _pages(board, runs)
    beside = {run.run: _all_beside(run, counterparts) for run in runs}
    of_run = tuple(name for name in _RUN_FIELDS if name not in _OF_THE_MAIN)
    fields = attrgetter(*of_run)
    yield (
        f"{stem}.csv",
        csv_blocks(
            (
                *(*of_run, "page", "metric", "score_protocol", *_NUMBER_FIELDS),
                *(*_OF_THE_MAIN, *_PRINTED_FIELDS),
            ),
            (
                (
                    (*fields(run), pages[run.run]),
                    [
                        (*score, *_place(run, score), *beside[run.run].get(score[:2], _NOT_PRINTED))
                        for score in score_rows(run)
                    ],
                )
                for run in runs
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


def _pages(board: Board, runs: Sequence[Run]) -> dict[str, str | None]:
    with_page = {report.run for report in board.pages}
    return {run.run: paths.run_page(run.run) if run.run in with_page else None for run in runs}


def _main(run: Run) -> tuple[Cell, ...]:
    """The main score's numbers, none where the run is incomplete."""
    main = run.main
    return (None,) * len(_NUMBER_FIELDS) if main is None else _score_cells(main)[2:]


def _place(run: Run, score: Sequence[Cell]) -> tuple[Cell, ...]:
    """The run's rank beside its main score, nothing beside any other."""
    main = tuple(score[:2]) == (run.main_metric, run.protocol)
    return (run.rank, run.ranked) if main else (None, None)


def _all_beside(run: Run, counterparts: Counterparts) -> dict[tuple[Cell, ...], tuple[Cell, ...]]:
    """What is published of the run's checkpoint, by metric and protocol of the run's own score."""
    return {
        (score.metric, score.protocol): cells
        for score in run.scores
        if score.protocol == run.protocol
        and (cells := _beside(run, score.metric, counterparts)) != _NOT_PRINTED
    }


def _beside(run: Run, metric: str, counterparts: Counterparts) -> tuple[Cell, ...]:
    counterpart = counterparts.of(run, metric)
    if counterpart is None:
        return _NOT_PRINTED
    printed = counterpart.printed
    return (
        *(printed.value, printed.source, printed.table, printed.set, printed.protocol),
        *(", ".join(counterpart.unlike), counterpart.difference),
    )


def _printed(published: pd.DataFrame) -> list[dict[str, Cell]]:
    return [
        {
            column: None if row[column] != row[column] else row[column]
            for column in PUBLISHED_COLUMNS
        }
        for row in rows_of(published)
    ]
