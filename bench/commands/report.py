"""``bench report``: write the board of every stored run, or its efficiency page alone."""

from __future__ import annotations

from pathlib import Path

import click

from bench.options import config_option, json_option, site_option


@click.command()
@click.option(
    "--only", type=click.Choice(["efficiency"]), help="Write this page and its files alone."
)
@click.option(
    "--pictures",
    type=click.Choice(["auto", "always", "never"]),
    help="Whose pictures to show; default: site_pictures of bench.yaml.",
)
@site_option
@config_option
@json_option
def command(
    config_path: Path | None,
    site: Path | None,
    pictures: str | None,
    only: str | None,
    as_json: bool,
) -> int:
    """Write the board of every stored run, and print its path.

    The folder is a whole site: it opens from a disk, and any static host serves it as it is.
    """
    from bench.config import ShowPictures, load_config
    from bench.exit_codes import ExitCode
    from bench.outcomes import write_board, write_efficiency_page
    from bench.output import print_json, warn
    from bench.store import stored_runs

    config = load_config(config_path)
    if only is None:
        page = write_board(config, site, ShowPictures(pictures) if pictures else None)
        count = len(stored_runs(config.runs))
        if not count and not any(config.efficiency.rglob("*.json")):
            warn(f"the board is empty: no run is stored under {config.runs}; do `bench run`")
        told = {"runs": count, "board": str(page)}
    else:
        found = write_efficiency_page(config, site)
        if found is None:
            warn(f"no efficiency records in {config.efficiency}; `bench efficiency` makes them")
            return ExitCode.INCOMPLETE
        page, told = found, {"page": str(found)}
    if as_json:
        print_json(told)
    else:
        click.echo(str(page))
    return ExitCode.FINE
