"""Runs of the fake model, each in a forked process of its own that a test may kill.

Reads ``ROOT PICTURES IMAGES DELAY_MS`` lines from standard input; answers each with the process
id when the run begins, and with the wait status when it ended.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import pyarrow.parquet  # noqa: F401  imported before the fork, so that a run is all work
import pycocotools.mask  # noqa: F401

from bench import part_writer, provenance
from bench.choices import ModelChoice, SuiteChoice
from bench.config import ModelSpec
from bench.running import run_model
from suites.base import Selection
from suites.protocols import free_text  # noqa: F401
from tests.bench.fakes import FakeEncoder, FakeModel, FakeSuite


def run(root: str, pictures: str, images: str, delay_ms: str) -> None:
    run_model(
        Path(root),
        ModelChoice("model", ModelSpec(adapter="fake", checkpoint="first"), ()),
        FakeModel("first", {"delay_ms": float(delay_ms)}),
        SuiteChoice("fakes", "fakes", {}, ()),
        FakeSuite(Path(pictures), int(images)),
        FakeEncoder(),
        selection=Selection(),
        resamples=50,
    )


def serve() -> None:
    provenance.code()  # asks git once for all
    part_writer.MAX_ROWS = 12  # many parts, so that kills fall between, before and inside them
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(*line.split())
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        say(child)
        say(os.waitpid(child, 0)[1])


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
