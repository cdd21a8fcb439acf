"""The static site: every page and data file of a board, written where it changed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from reports import board_page, fingerprint, paths
from reports.building import Work, make_pages
from reports.compared import leave_standing, of_run
from reports.frames import Board
from reports.records import Run, Score, runs_of
from reports.rendering import asset, digest, render
from reports.suite_files import picture_files, suite_folder, suite_scripts
from reports.writing import SiteWriter, put_file, write_folder, writing


def write_site(board: Board, folder: Path, *, made_by: str = "", processes: int = 1) -> Path:
    """Write the board, a page per run, the efficiency page, and the CSV and JSON beside each.

    Equal boards give equal bytes, whatever the folder held before. Files whose bytes would not
    change are left alone; files an earlier call wrote that no longer belong to the site are
    removed; others are never touched. The page of a run whose source has a digest is made anew
    only when something it shows has changed, or one of its files. Comparisons stay while both of
    their runs are what was compared.

    Args:
        board: the runs to show.
        folder: the site's folder; made when it is not there.
        made_by: stands for the code that gathered the board: pages of another are made anew.
        processes: how many may make the pages of many runs; more than one needs page sources
            that can be pickled.

    Returns:
        The index page.

    Raises:
        ReportError: the board contradicts itself, or the folder cannot be written.
    """
    runs = runs_of(board)
    by_itself = {run.run: _by_itself(run) for run in runs}
    told = {name: _told(run) for name, run in by_itself.items()}
    common = _common(board, made_by)
    with writing(folder) as site:
        standing = leave_standing(site, {source.run: source.digest for source in board.pages})
        parts = {
            paths.run_stem(source.run): Work(
                by_itself[source.run], source, of_run(standing, source.run)
            )
            for source in board.pages
        }
        made_from = {
            part: _made_from(
                *(common, work.source.digest, work.source.suite_digest),
                *(told[work.run.run], work.comparisons),
            )
            for part, work in parts.items()
        }
        stale = {
            part: work
            for part, work in sorted(parts.items())
            if not site.keep(part, made_from[part])
        }
        ranked = ((told[run.run], run.rank, run.ranked) for run in runs)
        shown = (*ranked, _published(board), *sorted(_shared(board)))
        _put_part(site, "board", _made_from(common, "board", shown), _board_files(board, runs))
        for source in board.pictures:
            made = _made_from(common, source.digest, source.licence, source.note, source.images)
            _put_part(site, suite_folder(source.suite_digest), made, picture_files(source))
        for part, files in zip(
            stale, make_pages(board, [*stale.values()], folder, processes), strict=True
        ):
            site.made(part, made_from[part], files)
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
    from reports import efficiency_page

    only = (paths.EFFICIENCY, f"{efficiency_page.FOLDER}/")
    write_folder(folder, _efficiency_files(board, runs_of(board)), only=only)
    return folder / paths.EFFICIENCY


def _by_itself(run: Run) -> Run:
    """The run without its rank, which is the board's: it changes with every other run."""
    return dataclasses.replace(run, rank=None, ranked=0)


def _told(run: Run) -> str:
    """Everything known of the run, in one text."""
    return repr((_of_run(run), *map(_of_score, run.scores)))


_of_run = attrgetter(*(field.name for field in dataclasses.fields(Run) if field.name != "scores"))
_of_score = attrgetter(*(field.name for field in dataclasses.fields(Score)))


def _common(board: Board, made_by: str) -> str:
    """Digest of what the pages of all runs show or are made by: title, sweeps, code."""
    digest = hashlib.sha256(f"{fingerprint.makers()} {made_by} {board.title!r}".encode())
    for frame in (board.costs, board.speeds):
        digest.update(pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy().data)
    return digest.hexdigest()


def _made_from(common: str, source: str, *shown: object) -> str:
    """Digest of everything a part shows; "" where its source does not say."""
    return hashlib.sha256(f"{common} {source} {shown!r}".encode()).hexdigest() if source else ""


def _published(board: Board) -> str:
    return board.published.to_csv(index=False)


def _shared(board: Board) -> Iterator[tuple[object, ...]]:
    """What the board and the suites' scripts show of pages and pictures."""
    for page in board.pages:
        yield page.run, page.suite_digest
    for source in board.pictures:
        yield source.suite_digest, source.licence, source.note, source.images


def _put_part(
    site: SiteWriter, part: str, made_from: str, contents: Iterable[tuple[str, bytes]]
) -> None:
    """Write the files of a part, unless they lie there already."""
    if not site.keep(part, made_from):
        files = {path: put_file(site.folder, path, content) for path, content in contents}
        site.made(part, made_from, files)


def _board_files(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    yield from board_page.files(board, runs)
    yield from suite_scripts(board, runs)
    yield from _efficiency_files(board, runs)


def _efficiency_files(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    if not board.swept:
        return
    from reports import efficiency_page

    sweeps = efficiency_page.sweeps(board, runs)
    script = asset("enhance.js") + asset("efficiency.js")
    yield (
        paths.EFFICIENCY,
        render(
            "efficiency.html.j2",
            page=paths.EFFICIENCY,
            board=board,
            sweeps=sweeps,
            stem=efficiency_page.figure_stem,
            page_style=Markup(asset("efficiency.css")),
            script=Markup(script),
            script_hash=digest(script),
        ),
    )
    yield from efficiency_page.efficiency_files(sweeps)
