"""``bench model-index``: scores as the evaluation metadata of a Hugging Face model card."""

from __future__ import annotations

from pathlib import Path

import click

from bench.options import config_option

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("model-index")
@click.argument("given", metavar="MODEL_OR_RUN...", nargs=-1, required=True)
@click.option("--card", type=_FILE, help="Put them into this model card's metadata.")
@click.option("--output", type=_FILE, help="Write to this file; the card itself stays.")
@config_option
def command(
    given: tuple[str, ...], card: Path | None, output: Path | None, config_path: Path | None
) -> int:
    """Print a model's scores as the model-index of its Hugging Face model card.

    Only complete runs of whole suites are told. In a card, entries that this command wrote for
    the same suites are replaced; all else stays as it is.
    """
    from bench.atomic import write_bytes
    from bench.config import load_config
    from bench.errors import CardError
    from bench.exit_codes import ExitCode
    from bench.model_index.card import merged, metadata
    from bench.model_index.results import export
    from bench.output import warn
    from bench.run_names import find_runs

    config = load_config(config_path)
    runs = [run for name in given for run in find_runs(config, name)]
    exported = export(runs, config.contents.publish.url)
    for reason in exported.left_out:
        warn(f"left out: {reason}")
    if not exported.results:
        return ExitCode.INCOMPLETE
    if card is None:
        text = metadata(exported.model, exported.results)
    else:
        try:
            before = card.read_bytes().decode("utf-8")
        except (OSError, ValueError) as error:
            raise CardError(f"the model card {card} cannot be read: {error}") from error
        text = merged(before, exported.model, exported.results)
    target = output or card
    if target is None:
        click.echo(text, nl=False)
    else:
        write_bytes(target, text.encode("utf-8"))
        click.echo(str(target.absolute()))
    return ExitCode.INCOMPLETE if exported.left_out else ExitCode.FINE
