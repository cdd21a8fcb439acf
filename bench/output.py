"""What a verb prints: tables and JSON on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from bench.github_runner import harmless
from suites.base import Score, Scores

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from bench.engine import Tally

_PIPE_WIDTH = 200


def warn(message: str) -> None:
    """A warning on standard error."""
    click.echo(harmless(f"warning: {message}"), err=True)


def note(message: str) -> None:
    """A line about progress on standard error."""
    click.echo(harmless(message), err=True)


def print_json(value: object) -> None:
    """One JSON document on standard output, in ASCII where that is not UTF-8."""
    encoding = getattr(sys.stdout, "encoding", None) or ""
    ascii_only = encoding.lower().replace("-", "") != "utf8"
    click.echo(json.dumps(value, indent=2, ensure_ascii=ascii_only))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A plain table on standard output; numbers are right-aligned."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table: Table = Table(
        title=Text(title) if title else None, box=box.SIMPLE_HEAD, title_justify="left"
    )
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], (int, float)) for row in rows)
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(f"{v:,}" if isinstance(v, int) else str(v)) for v in row))
    console = Console(highlight=False)
    if not console.file.isatty():  # also where standard output was closed
        console.width = _PIPE_WIDTH
    console.print(table)


def percent(score: Score) -> str:
    """A score ×100 with its interval: ``82.35 [80.11, 84.52]``."""
    if score.value is None:
        return "nothing to average"
    value = f"{100 * score.value:.2f}"
    if score.low is None or score.high is None:
        return value
    return f"{value} [{100 * score.low:.2f}, {100 * score.high:.2f}]"


def print_scores(model: str, suite: str, scores: Scores) -> None:
    """One run's scores over all regions, or that it is incomplete; the counts either way.

    What is broken down by category or frequency stands on the run's page.
    """
    counts = scores.counts
    overall = [score for score in scores.table if "[" not in score.metric]
    cells = {
        (s.metric, s.protocol): percent(s) if counts.complete else "incomplete" for s in overall
    }
    protocols = list(dict.fromkeys(score.protocol for score in overall))
    print_table(
        ("×100 [95 %]", *protocols),
        [
            (metric, *(cells.get((metric, protocol), "") for protocol in protocols))
            for metric in dict.fromkeys(score.metric for score in overall)
        ],
        title=f"{model} on {suite}",
    )
    click.echo(
        f"  regions: {counts.expected:,} expected, {counts.answered:,} answered, "
        f"{counts.empty:,} empty, {counts.unanswerable:,} unanswerable, "
        f"{counts.errored:,} errored, {counts.missing:,} missing\n"
    )


@contextmanager
def progress(title: str, images: int) -> Iterator[Callable[[Tally], None]]:
    """A progress bar over images on a terminal; silence elsewhere."""
    with _bar("images") as bar:
        task = bar.add_task(title, total=images)
        yield lambda tally: bar.update(task, completed=tally.images)


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars, one a step, on a terminal; silence elsewhere.

    Yields a function that takes a step's name, how many items of it are done, and out of how many.
    """
    with ExitStack() as shown:
        bars: list[Progress] = []
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if not bars:  # most often nothing is told, and nothing to draw with has to be loaded
                bars.append(shown.enter_context(_bar("files")))
            if step not in tasks:
                tasks[step] = bars[0].add_task(step, total=total)
            bars[0].update(tasks[step], completed=done, total=total)

        yield show


def _bar(unit: str) -> Progress:
    """A bar on standard error that leaves nothing behind."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
