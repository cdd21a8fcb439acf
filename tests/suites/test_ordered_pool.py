from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from suites.base import DataInvalid, SuiteError
from suites.segmentation.ordered_pool import ordered_map, processes_for


def slow_first(item: int) -> int:
    time.sleep(0.3 if item == 0 else 0)
    return item * item


def refuse_three(item: int) -> int:
    if item == 3:
        raise DataInvalid("file 3 is cut off")
    return item


def die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_order(processes: int) -> None:
    assert list(ordered_map(slow_first, range(12), processes=processes)) == [
        item * item for item in range(12)
    ]


def test_items_are_taken_only_as_results_are_used() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = ordered_map(slow_first, items(), processes=2)
    assert next(results) == 0
    assert len(taken) <= 5
    results.close()  # type: ignore[attr-defined]


def test_an_error_in_another_process_arrives_as_it_was_raised() -> None:
    with pytest.raises(DataInvalid, match="file 3 is cut off"):
        list(ordered_map(refuse_three, range(10), processes=2))


def test_a_process_that_dies_is_reported() -> None:
    with pytest.raises(SuiteError, match="one of 2 worker processes died"):
        list(ordered_map(die, range(4), processes=2))


def test_a_few_items_are_not_worth_another_process() -> None:
    assert processes_for(0) == processes_for(20) == 1
    assert 1 <= processes_for(100_000) <= 8
