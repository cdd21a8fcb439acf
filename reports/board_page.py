"""The board: its front page, a page per task family, and their CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports import board_data, board_front, board_rows, paths, published_table
from reports.board_charts import figures
from reports.board_front import FrontTable
from reports.board_labels import common_settings, settings_beyond
from reports.board_rows import Reproduced
from reports.families import Family, families
from reports.frames import Board
from reports.published_difference import Counterparts
from reports.published_table import PublishedTable
from reports.records import Run
from reports.rendering import asset, digest, light, render


class Section(NamedTuple):
    """One family's part of the board; ``key`` names its page and files."""

    key: str
    family: Family
    reproduced: Reproduced
    front: FrontTable
    published: PublishedTable

    @property
    def page(self) -> str:
        """The path of the family's page in the site."""
        return f"{self.key}.html"

    @property
    def runs(self) -> list[Run]:
        """The family's runs, by name."""
        own = (run for line in self.reproduced.lines for run in line.runs if run is not None)
        return sorted(own, key=lambda run: run.run)


def sections(board: Board, runs: Sequence[Run]) -> list[Section]:
    """The board's families in order, each with its tables."""
    made = []
    for family in families(runs):
        reproduced = board_rows.arrange(runs, family)
        made.append(
            Section(
                paths.slug(family.key),
                family,
                reproduced,
                board_front.arrange(reproduced),
                published_table.arrange(board.published, family.suites, family.metrics),
            )
        )
    return made


def files(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    """The front page, the families' pages and all their data, by path in the site."""
    made = sections(board, runs)
    script = asset("enhance.js") + asset("board.js")
    shared = {
        "board": board,
        "sections": made,
        "with_page": {report.run for report in board.pages},
        "efficiency": paths.EFFICIENCY if board.swept else "",
        "page_style": Markup(asset("board.css")),
    }
    read = [section.family for section in made]
    yield paths.INDEX, render("index.html.j2", page=paths.INDEX, runs=runs, read=read, **shared)
    full = {section.family.title: f"{section.key}.json" for section in made if section.runs}
    counterparts = Counterparts.among(board.published)
    yield from board_data.index_files(board, runs, counterparts, full)
    yield board_data.published_file(board)
    for section in made:
        family = section.family
        heads = [line.head for line in section.reproduced.lines]
        yield (
            section.page,
            light(
                render(
                    "family.html.j2",
                    page=section.page,
                    section=section,
                    figures=tuple(figures(section.reproduced)),
                    read=[family],
                    common=common_settings(heads),
                    settings_beyond=settings_beyond,
                    counterparts=counterparts,
                    caveats=counterparts.caveats(section.runs, family.metrics),
                    script=Markup(script),
                    script_hash=digest(script),
                    **shared,
                )
            ),
        )
        own = board.published[published_table.shown(board.published, family.suites, family.metrics)]
        yield from board_data.family_files(
            section.key, family.title, board, section.runs, counterparts, own
        )
