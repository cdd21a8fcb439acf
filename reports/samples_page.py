"""The sample browser: a page per run, and the data it loads region by region."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote_plus

import pandas as pd
from markupsafe import Markup

from reports import paths
from reports.frames import Board
from reports.records import Run
from reports.rendering import asset, digest, render
from reports.sample_data import sample_files
from reports.suite_files import suite_folder


def path(run: Run) -> str:
    """Where the run's sample browser lies in the site."""
    return f"{paths.run_stem(run.run)}.samples.html"


def fragment(**chosen: str) -> str:
    """The end of a link that opens the browser with these choices made."""
    told = (f"{name}={quote_plus(value, errors='replace')}" for name, value in chosen.items())
    return f"#{'&'.join(told)}"


def files(
    board: Board, run: Run, regions: pd.DataFrame, suite_digest: str
) -> Iterator[tuple[str, bytes]]:
    """The page and its data, by path in the site.

    Runs of one ``suite_digest`` share pictures; an empty one has none.
    """
    page = path(run)
    folder = page.removesuffix(".html")
    script = asset("samples_data.js") + asset("samples_cards.js") + asset("samples.js")
    yield (
        page,
        render(
            "samples.html.j2",
            page=page,
            board=board,
            run=run,
            folder=folder,
            suite=f"{suite_folder(suite_digest)}/suite.js" if suite_digest else "",
            page_style=Markup(asset("samples.css")),
            script=Markup(script),
            script_hash=digest(script),
        ),
    )
    yield from sample_files(run, regions, folder)
