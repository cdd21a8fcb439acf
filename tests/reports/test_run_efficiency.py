"""Whose efficiency records a run's page shows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reports.frames import Board
from reports.records import runs_of
from reports.run_efficiency import EfficiencyTable, efficiency_tables
from tests.reports import boards, sweeps

NAME = "pam-1.5b"


def tables(
    made: boards.Made, first: dict[str, Any], second: dict[str, Any]
) -> tuple[EfficiencyTable, ...]:
    """What the run's page shows of two subjects of one sweep under one name."""
    model = next(model for model in sweeps.MODELS if model.name == NAME)
    frames = [sweeps.speeds([model], changed=own, instances=(1, 4)) for own in (first, second)]
    board = _with(boards.board([made]), frames)
    return efficiency_tables(board, runs_of(board)[0])


def _with(board: Board, frames: list[Any]) -> Board:
    import pandas as pd

    return dataclasses.replace(board, speeds=pd.concat(frames, ignore_index=True))


def told(table: EfficiencyTable) -> str:
    return ", ".join(table.facts)


@pytest.fixture
def made() -> boards.Made:
    return boards.run(NAME, images=2)


def test_another_checkpoint_of_the_same_name_is_not_the_run_s(made: boards.Made) -> None:
    own = {"random_weights": False, "checkpoint_digest": made.row["checkpoint_digest"]}
    other = {"random_weights": False, "checkpoint_digest": "another", "checkpoint": "else/where"}
    found = tables(made, own, other)
    assert len(found) == 1
    assert made.row["checkpoint_digest"][:12] in told(found[0])
    assert "else/where" not in told(found[0])
    assert len(found[0].rows) == 4


def test_random_weights_stand_for_a_model_of_that_name(made: boards.Made) -> None:
    (found,) = tables(made, {"random_weights": True}, {"model": "someone-else"})
    assert "random weights" in told(found)


def test_two_subjects_never_share_a_table_and_captions_tell_them_apart(made: boards.Made) -> None:
    digest = made.row["checkpoint_digest"]
    found = tables(
        made,
        {"checkpoint_digest": digest, "settings": "box=mask"},
        {"checkpoint_digest": digest, "settings": "box=annotation"},
    )
    assert len({told(table) for table in found}) == len(found) == 2
    assert sorted("box=mask" in told(table) for table in found) == [False, True]
    assert [len(table.rows) for table in found] == [4, 4]
    assert all(NAME in told(table) for table in found)


def test_a_speed_whose_audit_failed_is_marked(made: boards.Made) -> None:
    (plain,) = tables(made, {"random_weights": True}, {"model": "someone-else"})
    assert plain.note == ""
    (found,) = tables(made, {"outputs_equal": False}, {"model": "someone-else"})
    assert [row[2].endswith(" †") for row in found.rows] == [True] * 4
    assert found.note.startswith("† An audit of the point failed")
