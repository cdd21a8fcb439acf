"""``bench list``: what is installed and what bench.yaml names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from bench.options import config_option, json_option
from bench.output import print_json, print_table, warn

Entry = TypeVar("Entry")


@click.command("list")
@config_option
@json_option
def command(config_path: Path | None, as_json: bool) -> int:
    """List adapters, suites, and the models and suites of bench.yaml."""
    from adapters import registry as adapters
    from bench.config import load_config
    from suites import registry as suites

    config = load_config(config_path)
    found_adapters = _entries(adapters.names(), adapters.entry)
    found_suites = _entries(suites.names(), suites.entry)
    contents = config.contents
    if as_json:
        print_json(
            {
                "config": str(config.path),
                "adapters": [{"name": e.name, "summary": e.summary} for e in found_adapters],
                "suites": [{"name": e.name, "summary": e.summary} for e in found_suites],
                "models": {n: m.model_dump() for n, m in contents.models.items()},
                "configured_suites": {n: config.suite(n).model_dump() for n in contents.suites},
            }
        )
        return 0
    print_table(
        ("adapter", "settings", "what it is"),
        [(e.name, ", ".join(sorted(e.settings)), e.summary) for e in found_adapters],
    )
    print_table(
        ("suite", "options", "what it is"),
        [(e.name, ", ".join(sorted(e.options)), e.summary) for e in found_suites],
    )
    click.echo(f"{config.path}:")
    print_table(
        ("model", "adapter", "checkpoint", "runs"),
        [
            (n, m.adapter, m.checkpoint or m.preset or "", "when named" if m.on_request else "")
            for n, m in contents.models.items()
        ],
    )
    print_table(
        ("suite", "kind", "options"),
        [
            (n, config.suite(n).kind, ", ".join(f"{k}={v}" for k, v in s.options.items()))
            for n, s in contents.suites.items()
        ],
    )
    return 0


def _entries(names: Sequence[str], entry: Callable[[str], Entry]) -> list[Entry]:
    """The entries that can be read; a third party's broken one is a warning."""
    from adapters.interface import UnknownAdapter
    from suites.base import UnknownSuite

    found = []
    for name in names:
        try:
            found.append(entry(name))
        except (UnknownAdapter, UnknownSuite) as error:
            warn(str(error))
    return found
