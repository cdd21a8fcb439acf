"""Frames that do not hold what the pages need are refused by name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports import published
from reports.frames import RUN_COLUMNS, Board, ReportError
from reports.records import rows_of, runs_of
from reports.run_page import view
from reports.site import write_site
from tests.reports import boards


@pytest.mark.parametrize("column", RUN_COLUMNS)
def test_a_runs_frame_without_a_column_is_refused_naming_it(column: str) -> None:
    board = boards.board([boards.run("a", images=1)])
    with pytest.raises(ReportError, match=f"the runs frame lacks the column '{column}'"):
        dataclasses.replace(board, runs=board.runs.drop(columns=column))


def test_a_run_listed_twice_is_refused() -> None:
    one = boards.run("a", images=1)
    with pytest.raises(ReportError, match=r"lists 'shapes/a/.*' twice"):
        runs_of(boards.board([one, one]))


def test_scores_of_an_unlisted_run_are_refused() -> None:
    board = boards.board([boards.run("a", images=1), boards.run("b", images=1)])
    board = dataclasses.replace(board, runs=board.runs.iloc[:1], pages=())
    with pytest.raises(ReportError, match="the scores frame name the run 'shapes/b/"):
        runs_of(board)


def test_a_page_of_an_unlisted_run_is_refused() -> None:
    board = boards.board([boards.run("a", images=1)])
    page = boards.run("b", images=1).page
    with pytest.raises(ReportError, match="the pages name the run 'shapes/b/"):
        runs_of(dataclasses.replace(board, pages=(boards.source(page),)))


def test_a_count_that_is_no_number_is_refused_naming_the_run() -> None:
    one = boards.run("a", images=1)
    one.row["answered"] = "many"
    with pytest.raises(ReportError, match=r"run 'shapes/a/.*'many' is not a number"):
        runs_of(boards.board([one]))


def test_an_unknown_certificate_is_refused_naming_the_run() -> None:
    one = boards.run("a", images=1, certified="perhaps")
    with pytest.raises(ReportError, match=r"run 'shapes/a/.*certified is 'perhaps', expected"):
        runs_of(boards.board([one]))


@pytest.mark.parametrize(
    ("stage", "difference", "remark"),
    [
        ("logits", 0.25, "worst difference 0.25 of 0.0001 allowed, logits, 2026-05-31"),
        ("tokens", None, "another shape in tokens, 2026-05-31"),
        ("", None, "ended by an error, 2026-05-31"),
    ],
)
def test_a_certificate_is_told_in_words(stage: str, difference: float | None, remark: str) -> None:
    one = boards.run("a", images=1, certified="failed")
    one.row.update(certified_stage=stage, certified_difference=difference)
    assert runs_of(boards.board([one]))[0].certificate.remark == remark


def test_a_regions_frame_without_a_column_is_refused_naming_run_and_column() -> None:
    one = boards.run("a", images=1)
    page = dataclasses.replace(one.page, regions=one.page.regions.drop(columns="text"))
    with pytest.raises(ReportError, match=r"run 'shapes/a/.*the regions frame lacks .*'text'"):
        view(boards.board([one]), runs_of(boards.board([one]))[0], page)


@pytest.mark.parametrize("absent", [None, float("nan"), pd.NA])
def test_absent_cells_are_absent_whatever_pandas_calls_them(absent: object) -> None:
    one = boards.run("a", images=1)
    one.row.update(parameters=absent, base_model=absent, seconds=absent)
    run = runs_of(boards.board([one]))[0]
    assert (run.parameters, run.base_model, run.seconds) == (None, "", None)


def test_no_number_of_an_incomplete_run_is_a_score() -> None:
    run = runs_of(boards.board([boards.run("a", images=2, errored=1)]))[0]
    assert run.scores
    assert run.main is None
    assert all(run.score(score.metric, score.protocol) is None for score in run.scores)


MIXED = pd.DataFrame(
    {
        "real": [1.5, None],
        "text": ["x", None],
        "whole": [1, 2],
        "yes": [True, False],
        "no whole": [1, None],
        "no yes": pd.Series([True, None], dtype=object),
        "objects": pd.Series([np.int64(3), pd.NA], dtype=object),
        "other objects": pd.Series([np.bool_(True), np.float32(0.5)], dtype=object),
        "time": pd.Series(["2026-01-31", None], dtype="datetime64[ns]"),
    }
)


@pytest.mark.parametrize(
    "frame",
    [MIXED, MIXED.convert_dtypes(), MIXED.convert_dtypes(dtype_backend="pyarrow"), MIXED[:0]],
    ids=["plain", "nullable", "arrow", "empty"],
)
def test_rows_are_those_of_pandas(frame: pd.DataFrame) -> None:
    def told(rows: Iterable[Mapping[Any, object]]) -> list[dict[str, tuple[type, str]]]:
        return [{name: (type(v), repr(v)) for name, v in row.items()} for row in rows]

    assert told(rows_of(frame)) == told(frame.to_dict("records"))


def data_of(board: Board, folder: Path) -> dict[str, object]:
    """What the board's site has for machines, but for the listing of its files."""
    write_site(board, folder)
    found = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    del found["site-files.json"]
    return found


def test_a_board_of_nullable_columns_is_that_of_plain_ones(tmp_path: Path) -> None:
    board = boards.board(boards.demo(), published=published.load())
    nullable = dataclasses.replace(
        board,
        runs=board.runs.convert_dtypes(),
        scores=board.scores.convert_dtypes(),
        published=board.published.convert_dtypes(),
    )
    plain = data_of(board, tmp_path / "plain")
    assert len(plain) > 1
    assert data_of(nullable, tmp_path / "nullable") == plain


def test_numpy_s_numbers_in_a_column_of_objects_are_written_as_numbers(tmp_path: Path) -> None:
    printed = published.load()
    years = pd.Series([np.int64(year) for year in printed["year"]], dtype=object)
    plain, objects = (
        boards.board(boards.demo(), published=frame)
        for frame in (printed, printed.assign(year=years))
    )
    assert data_of(objects, tmp_path / "objects") == data_of(plain, tmp_path / "plain")
