"""Options several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """``--config FILE``; the variable is BENCH_CONFIG for every verb."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="BENCH_CONFIG",
        help="Configuration file; else ./bench.yaml, else the one that ships with regionbench.",
    )(command)


def json_option(command: Command) -> Command:
    """``--json``: one JSON document on standard output instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


def suite_options(command: Command) -> Command:
    """``--root`` and ``--option KEY=VALUE``, gathered as ``options``."""
    command = click.option(
        "--option",
        "options",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_pairs,
        help="An option of the suite; may be given several times.",
    )(command)
    return click.option(
        "--root", metavar="PATH", help="The suite's data folder; short for --option root=PATH."
    )(command)


def resamples_option(command: Command) -> Command:
    """``--resamples N`` of the intervals' bootstrap."""
    return click.option(
        "--resamples",
        type=click.IntRange(min=1),
        default=1000,
        show_default=True,
        help="Bootstrap resamples behind every interval.",
    )(command)


def report_option(command: Command) -> Command:
    """``--no-report``."""
    return click.option("--no-report", is_flag=True, help="Do not write the board.")(command)


def site_option(command: Command) -> Command:
    """``--site DIR``."""
    return click.option(
        "--site",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The site's folder; default: the one in bench.yaml.",
    )(command)


def with_root(options: dict[str, str], root: str | None) -> dict[str, str]:
    """The suite options with ``--root`` among them."""
    return options if root is None else {**options, "root": root}


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        key, separator, rest = value.partition("=")
        if not separator or not key:
            raise click.BadParameter(f"{value!r} is not of the form KEY=VALUE")
        pairs[key] = rest
    return pairs
