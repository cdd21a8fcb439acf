"""The command reference says what ``--help`` says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bench.cli import VERBS, cli

WIDTH = 100


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Every command below ``command`` with its help, groups before their verbs."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            verb = command.get_command(context, name)
            assert verb is not None
            inner = click.Context(verb, info_name=name, parent=context, **verb.context_settings)
            yield from commands(verb, inner)


def helps() -> dict[str, str]:
    top = click.Context(cli, info_name="bench", terminal_width=WIDTH, **cli.context_settings)
    return dict(commands(cli, top))


def test_every_verb_is_a_command() -> None:
    assert {path.split()[1] for path in helps() if " " in path} == set(VERBS)


@pytest.mark.parametrize("path", list(helps()))
def test_every_commands_help_is_in_the_reference(repository: Path, path: str) -> None:
    reference = (repository / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"```\n{helps()[path]}\n```" in reference
