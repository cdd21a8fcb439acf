"""The static site: every page and data file of a board, written where it changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from reports import board_page, efficiency_page, paths, run_page
from reports.frames import Board
from reports.records import Run, runs_of
from reports.rendering import asset, digest, render
from reports.writing import write_folder


def write_site(board: Board, folder: Path) -> Path:
    """Write the board, a page per run, the efficiency page, and the CSV and JSON beside each.

    Equal boards give equal bytes. Files whose bytes would not change are left alone; files an
    earlier call wrote that no longer belong to the site are removed; others are never touched.

    Args:
        board: the runs to show.
        folder: the site's folder; made when it is not there.

    Returns:
        The index page.

    Raises:
        ReportError: the board contradicts itself, or the folder cannot be written.
    """
    write_folder(folder, _files(board))
    return folder / paths.INDEX


def write_efficiency(board: Board, folder: Path) -> Path:
    """Write the efficiency page and its files; every other file of the site stays as it is.

    Args:
        board: the sweeps to show, and the runs whose scores stand beside their speeds.
        folder: the site's folder; made when it is not there.

    Returns:
        The efficiency page.

    Raises:
        ReportError: the board contradicts itself, or the folder cannot be written.
    """
    only = (efficiency_page.PAGE, f"{efficiency_page.FOLDER}/")
    write_folder(folder, _efficiency_files(board, runs_of(board)), only=only)
    return folder / efficiency_page.PAGE


def _files(board: Board) -> Iterator[tuple[str, bytes]]:
    runs = runs_of(board)
    by_name = {run.run: run for run in runs}
    with_page = {report.run for report in board.pages}
    yield (
        paths.INDEX,
        render(
            "index.html.j2",
            page=paths.INDEX,
            board=board,
            runs=runs,
            sections=board_page.sections(board, runs),
            with_page=with_page,
            efficiency=efficiency_page.PAGE if board.swept else "",
        ),
    )
    yield from _efficiency_files(board, runs)
    yield from board_page.board_files(board, runs)
    for source in sorted(board.pages, key=lambda source: source.run):
        yield from run_page.files(board, by_name[source.run], source.load())


def _efficiency_files(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    if not board.swept:
        return
    sweeps = efficiency_page.sweeps(board, runs)
    script = asset("enhance.js") + asset("efficiency.js")
    yield (
        efficiency_page.PAGE,
        render(
            "efficiency.html.j2",
            page=efficiency_page.PAGE,
            board=board,
            sweeps=sweeps,
            stem=efficiency_page.figure_stem,
            page_style=Markup(asset("efficiency.css")),
            script=Markup(script),
            script_hash=digest(script),
        ),
    )
    yield from efficiency_page.efficiency_files(sweeps)
