"""What follows a scored run, whichever verb made it: print it, log it, write the board."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from bench.config import Config, ShowPictures
from bench.exit_codes import ExitCode
from bench.manifest import Manifest
from bench.output import note, print_json, print_scores, warn
from bench.store import StoredRun, stored_runs
from bench.tracking import Tracker
from suites.base import Scores

_WARNINGS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a run has no scores; other runs are scored all the same."""

    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored run with its scores.

    ``kept`` is false where the run covers more than was asked for: the scores here are then of
    the smaller part, the stored ones of the larger.
    """

    run: StoredRun
    manifest: Manifest
    scores: Scores
    warnings: tuple[str, ...] = ()
    kept: bool = True


def finish(
    config: Config,
    outcomes: Iterable[Outcome | Refused],
    tracker: Tracker,
    *,
    report: bool,
    as_json: bool,
) -> ExitCode:
    """Print and log every outcome as it comes, then write the board; the verb's exit code."""
    done: list[Outcome] = []
    refused: list[str] = []
    try:
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                note(f"error: {outcome.reason}")
                refused.append(outcome.reason)
                continue
            done.append(outcome)
            _show(outcome, as_json=as_json)
            if outcome.kept:
                tracker.log(outcome.run, outcome.manifest, outcome.scores)
    except Exception:
        if report and done:  # what came before the failure is worth its board
            write_board(config)
        raise
    page: Path | None = None
    try:
        if report:
            page = write_board(config)
            tracker.log_board([outcome.run for outcome in done if outcome.kept], page.parent)
    finally:  # what was done is told also where the board cannot be written
        if as_json:
            board = None if page is None else str(page)
            runs = [_values(outcome) for outcome in done]
            print_json({"runs": runs, "refused": refused, "board": board})
    if page is not None and not as_json:
        click.echo(str(page))
    if refused:
        return ExitCode.USAGE
    complete = bool(done) and all(outcome.scores.counts.complete for outcome in done)
    return ExitCode.FINE if complete else ExitCode.INCOMPLETE


def write_board(
    config: Config, site: Path | None = None, pictures: ShowPictures | None = None
) -> Path:
    """Write the site of every stored run, to the configured folder unless another is given.

    ``pictures`` overrides the configuration's ``site_pictures``.

    Returns:
        Its index page.
    """
    show = pictures or config.contents.site_pictures
    with _rare_collection(), _telling_removed(site or config.site):
        from bench.board import gather
        from bench.samples import suite_pictures
        from reports.fingerprint import code
        from reports.site import write_site

        board = gather(
            stored_runs(config.runs),
            config.efficiency,
            pictures=partial(suite_pictures, cache=config.cache, show=show),
        )
        page = write_site(
            board,
            site or config.site,
            made_by=code("adapters", "bench", "suites"),
            processes=os.cpu_count() or 1,
        )
    return page.absolute()


def write_efficiency_page(config: Config, site: Path | None = None) -> Path | None:
    """Write the efficiency page and its files alone; ``None`` where there is no record."""
    from bench.board import gather
    from reports.site import write_efficiency

    board = gather(stored_runs(config.runs), config.efficiency)
    return write_efficiency(board, site or config.site).absolute() if board.swept else None


@contextmanager
def _telling_removed(site: Path) -> Iterator[None]:
    """Name the comparisons that the block removes from the site, as their runs have changed."""
    before = sorted((site / "compare").glob("*.html"))
    try:
        yield
    finally:
        for page in before:
            if not page.is_file():
                note(
                    f"the comparison {page} is removed: one of its runs answered more, was scored "
                    "anew, or is gone; `bench compare` makes it anew"
                )


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for garbage seldom: code and a board are many objects that live until the end."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    if not as_json:
        print_scores(outcome.manifest.model.name, outcome.manifest.suite.called, outcome.scores)
    for message in outcome.warnings[:_WARNINGS_SHOWN]:
        warn(message)
    if len(outcome.warnings) > _WARNINGS_SHOWN:
        note(f"… more warnings in {outcome.run.manifest_path}")
    if errored := outcome.scores.counts.errored:
        log = outcome.run.log_path
        more = f"; the model's own messages are in {log}" if log.is_file() else ""
        command = outcome.manifest.command
        note(f"{outcome.run.name}: {errored:,} regions errored; `{command}` asks them again{more}")
    if not outcome.kept:
        selection = outcome.manifest.selection
        note(
            f"the run already covers {selection.images:,} images; "
            "its stored scores and the board keep all of them"
        )


def _values(outcome: Outcome) -> dict[str, Any]:
    scores = outcome.scores
    return {
        "run": outcome.run.name,
        "model": outcome.manifest.model.name,
        "suite": outcome.manifest.suite.called,
        "complete": scores.counts.complete,
        "stored": outcome.kept,
        "counts": asdict(scores.counts),
        "encoder_digest": scores.encoder_digest,
        "scores": [asdict(score) for score in scores.table] if scores.counts.complete else [],
        "warnings": list(outcome.warnings),
    }
