"""``bench doctor``: what this installation has, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click

from bench.exit_codes import ExitCode
from bench.options import config_option, json_option
from bench.output import print_json


@click.command()
@config_option
@json_option
def command(config_path: Path | None, as_json: bool) -> int:
    """Check Python, packages, machine, encoder, and whose modules are imported."""
    from bench.checkup import Health, examine
    from bench.config import load_config

    checks = examine(load_config(config_path))
    if as_json:
        print_json([{"health": c.health, "subject": c.subject, "found": c.found} for c in checks])
    else:
        for check in checks:
            click.echo(f"{check.health.value:8} {check.subject}: {check.found}")
    broken = any(check.health is Health.BROKEN for check in checks)
    return ExitCode.USAGE if broken else ExitCode.FINE
