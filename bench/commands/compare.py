"""``bench compare``: how much two runs of a suite differ, and whether it is real."""

from __future__ import annotations

from pathlib import Path

import click

from bench.options import config_option, json_option


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="NAME",
    help="Compare on this suite; may be given several times.",
)
@click.option(
    "--categories",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many categories to print; the page has all.",
)
@click.option("--no-page", is_flag=True, help="Do not write the comparison's page.")
@config_option
@json_option
def command(
    first: str,
    second: str,
    suites: tuple[str, ...],
    categories: int,
    no_page: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Compare run B with run A: paired differences, with intervals and p.

    A and B are models, whose last runs on every suite both ran are compared, or SUITE/MODEL,
    SUITE/MODEL/RUN, or a run's folder.
    """
    from bench.board import TITLE
    from bench.comparing.comparing import compare_all
    from bench.comparing.showing import show
    from bench.config import load_config
    from bench.exit_codes import ExitCode
    from bench.output import print_json, warn
    from bench.run_names import find_runs
    from reports.compare_page import record, write_comparison

    config = load_config(config_path)
    result = compare_all(
        find_runs(config, first), find_runs(config, second), suites, config.efficiency
    )
    told = []
    for comparison in result.comparisons:
        page = None if no_page else write_comparison(comparison, config.site, TITLE).absolute()
        told.append({**record(comparison), "page": page and str(page)})
        if not as_json:
            show(comparison, categories=categories)
            if page is not None:
                click.echo(str(page))
    for reason in result.not_compared:
        warn(f"not compared: {reason}")
    if as_json:
        print_json({"comparisons": told, "not_compared": list(result.not_compared)})
    return ExitCode.FINE if result.whole else ExitCode.INCOMPLETE
