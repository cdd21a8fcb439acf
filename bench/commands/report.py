"""``bench report``: write the board of every stored run."""

from __future__ import annotations

from pathlib import Path

import click

from bench.options import config_option, json_option


@click.command()
@config_option
@json_option
def command(config_path: Path | None, as_json: bool) -> int:
    """Write the board of every stored run, and print its path."""
    from bench.config import load_config
    from bench.outcomes import write_board
    from bench.output import print_json
    from bench.store import stored_runs

    config = load_config(config_path)
    page = write_board(config)
    if as_json:
        print_json({"runs": len(stored_runs(config.runs)), "board": str(page)})
    else:
        click.echo(str(page))
    return 0
