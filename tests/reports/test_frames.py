"""Frames that do not hold what the pages need are refused by name."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from reports.frames import RUN_COLUMNS, ReportError
from reports.records import runs_of
from reports.run_page import view
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
