"""Run pages, made by several processes where there are many."""

from __future__ import annotations

import dataclasses
import gc
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import NamedTuple

from reports import run_page
from reports.compared import Compared
from reports.frames import Board, PageSource
from reports.listing import Written
from reports.records import Run
from reports.writing import put_file

FEW = 64
"""So many pages are made sooner than another process has started."""


class Work(NamedTuple):
    """One run whose page has to be made, and the comparisons that it is a side of."""

    run: Run
    source: PageSource
    comparisons: tuple[Compared, ...] = ()


def make_pages(
    board: Board, work: Sequence[Work], folder: Path, processes: int
) -> Iterator[dict[str, Written]]:
    """Write the pages of these runs and the files beside them; yields each run's, in order."""
    if processes < 2 or len(work) < FEW:
        for one in work:
            yield _make(board, one, folder)
        return
    # A forked process would inherit the threads' locks of whatever this one has loaded.
    with ProcessPoolExecutor(
        processes,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(dataclasses.replace(board, pages=(), pictures=()), folder),
    ) as pool:
        try:
            yield from pool.map(_make_here, work, chunksize=8)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _make(board: Board, work: Work, folder: Path) -> dict[str, Written]:
    files = run_page.files(board, work.run, work.source, work.comparisons)
    return {path: put_file(folder, path, content) for path, content in files}


_here: tuple[Board, Path]
"""What every page of this process needs; set once, when the process begins."""


def _begin(board: Board, folder: Path) -> None:
    global _here
    _here = board, folder
    gc.freeze()  # what is loaded by now stays: no search for garbage has to pass it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool's process whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_here(work: Work) -> dict[str, Written]:
    board, folder = _here
    return _make(board, work, folder)
