"""The multi-instance benchmark measures the same work in every mode."""

from __future__ import annotations

import pytest
import torch

from adapters.interface import Answer, Status
from benchmarks import multi_instance as benchmark
from benchmarks.measuring import Timing, timed

SETUP = benchmark.Setup("tiny", torch.device("cpu"), torch.float32, 3, 2, 1, [1])


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[Timing, list[Answer]]]:
    query = benchmark.photo(SETUP.regions, 1)
    runs = benchmark.runs(SETUP.context(1), query, SETUP.generation())
    return {mode: timed(run, SETUP.device) for mode, run in runs.items()}


def test_every_mode_answers_every_region_at_the_same_length(
    measured: dict[str, tuple[Timing, list[Answer]]],
) -> None:
    assert tuple(measured) == benchmark.MODES
    for timing, answers in measured.values():
        assert timing.clock > 0
        assert [len(answer.token_ids) for answer in answers] == [2, 2, 2]
        assert Status.ERRORED not in {answer.status for answer in answers}


def test_caching_the_tiles_changes_no_answer(
    measured: dict[str, tuple[Timing, list[Answer]]],
) -> None:
    answers = {mode: answers for mode, (_, answers) in measured.items()}
    assert answers["single, tiles cached"] == answers["single"] == answers["shared-prefix"]


def test_speed_up_is_against_single_at_the_same_tiles() -> None:
    def took(*seconds: float) -> list[Timing]:
        return [Timing(s, s / 2) for s in seconds]

    rows = [
        benchmark.Row("12+1", "single", took(8.0, 9.0, 10.0), 100.0),
        benchmark.Row("12+1", "shared-prefix", took(1.0), 150.0),
        benchmark.Row("1", "single", took(2.0), None),
        benchmark.Row("1", "cascade", took(1.0), None),
    ]
    lines = benchmark.table(rows).splitlines()
    assert lines[2] == "| 12+1 | single | 9.0 (8.0–10.0) | 1.0x | 4.5 | 1.0x | 100 |"
    assert lines[3] == "| 12+1 | shared-prefix | 1.0 (1.0–1.0) | 9.0x | 0.5 | 9.0x | 150 |"
    assert lines[5] == "| 1 | cascade | 1.0 (1.0–1.0) | 2.0x | 0.5 | 2.0x |  |"


def test_the_photo_is_cut_into_as_many_tiles_as_the_table_shows() -> None:
    assert [benchmark.tiling(most) for most in (12, 6, 4, 1)] == ["12+1", "6+1", "4+1", "1"]
    assert benchmark.photo(1, 12).image.size == (640, 480)
