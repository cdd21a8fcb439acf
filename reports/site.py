"""The static site: every page and data file of a board, written where it changed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from reports import board_page, efficiency_page, formatting, paths, run_page
from reports.families import suite_title
from reports.frames import Board
from reports.records import Run, runs_of
from reports.text import visible
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
        _render(
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
    for report in sorted(board.pages, key=lambda report: report.run):
        shown = run_page.view(by_name[report.run], report)
        yield shown.page, _render("run.html.j2", page=shown.page, board=board, view=shown)
        yield from run_page.run_files(shown, report.manifest)


def _efficiency_files(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    if not board.swept:
        return
    sweeps = efficiency_page.sweeps(board, runs)
    script = _asset("enhance.js") + _asset("efficiency.js")
    yield (
        efficiency_page.PAGE,
        _render(
            "efficiency.html.j2",
            page=efficiency_page.PAGE,
            board=board,
            sweeps=sweeps,
            stem=efficiency_page.figure_stem,
            page_style=Markup(_asset("efficiency.css")),
            script=Markup(script),
            script_hash=_digest(script),
        ),
    )
    yield from efficiency_page.efficiency_files(sweeps)


def _render(template: str, *, page: str, **content: object) -> bytes:
    def link(target: str) -> str:
        return paths.relative(target, page)

    return _environment().get_template(template).render(link=link, **content).encode("utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    script = _asset("enhance.js")
    environment.globals |= {
        "style": Markup(_asset("style.css")),
        "script": Markup(script),
        "script_hash": _digest(script),
        "run_page": paths.run_page,
        "run_stem": paths.run_stem,
    }
    environment.filters |= {
        "points": formatting.points,
        "thousands": formatting.thousands,
        "parameters": formatting.parameters,
        "billions": formatting.billions,
        "duration": formatting.duration,
        "words": formatting.words,
        "suite_title": suite_title,
    }
    return environment


def _digest(script: str) -> str:
    """What a page's security policy names its script by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")
