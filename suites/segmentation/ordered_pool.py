"""Work spread over processes whose results come back in order, a bounded number at a time."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from suites.base import SuiteError

Item = TypeVar("Item")
Made = TypeVar("Made")

_MOST_PROCESSES = 8
_WORTH_PROCESSES = 256
_AHEAD = 2
"""Items per process that are worked on or wait to be taken."""


def processes_for(items: int) -> int:
    """How many processes some items are worth.

    One per processor this process may use, eight at most, since each needs up to 200 MB; but
    only this one for a few items, which are done before another process has started.
    """
    if items < _WORTH_PROCESSES:
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, _MOST_PROCESSES)


def ordered_map(
    make: Callable[[Item], Made], items: Iterable[Item], *, processes: int
) -> Iterator[Made]:
    """``make(item)`` for every item, in order, whatever the number of processes.

    Args:
        make: a module-level function; with more than one process it and the items are pickled.
        items: taken only as results are used, so that memory does not grow with their number.
        processes: 1 works in this process.

    Raises:
        SuiteError: a process died, most likely for lack of memory.
    """
    if processes == 1:
        yield from map(make, items)
        return
    waiting: deque[Future[Made]] = deque()
    # Forking a process that runs threads, as Arrow and torch do, can block for ever.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context)
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise SuiteError(
            f"one of {processes} worker processes died, most likely for lack of memory; "
            "start it again, with more memory or fewer processors"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
