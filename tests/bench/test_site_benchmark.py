"""The benchmark of the site stores runs that the board shows as any other."""

from __future__ import annotations

from pathlib import Path

from bench.board import gather
from bench.store import stored_runs
from benchmarks import site as benchmark


def test_its_runs_are_complete_ranked_and_of_several_suites(tmp_path: Path) -> None:
    benchmark.store(tmp_path, 12)
    benchmark.store(tmp_path, 1, first=12)
    board = gather(stored_runs(tmp_path))
    assert len(board.runs) == 13
    assert board.runs["complete"].all()
    assert board.runs["full"].all()
    assert set(board.runs["suite"]) <= {shape.name for shape in benchmark.SHAPES}
    assert board.runs["suite"].nunique() > 1
    assert (board.runs["ranked"] > 0).all()
    assert len({page.digest for page in board.pages}) == 13


def test_the_suites_shares_add_up() -> None:
    assert sum(shape.share for shape in benchmark.SHAPES) == 1.0
