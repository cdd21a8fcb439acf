"""``bench doctor``: what this installation or a checkpoint has, and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.exit_codes import ExitCode
from bench.options import config_option, json_option
from bench.output import print_json

if TYPE_CHECKING:
    from bench.checkpoint_checkup import Checkup
    from bench.config import Config


@click.command()
@config_option
@click.option("--model", help="Look at the checkpoint of a model of bench.yaml, or of this name.")
@click.option("--checkpoint", help="Look at this one: a folder, a Hub id, or bundled:NAME.")
@click.option("--revision", help="Branch, tag or commit of a Hub id.")
@click.option("--adapter", help="The adapter it is for; default: what bench.yaml or it says.")
@json_option
def command(
    config_path: Path | None,
    model: str | None,
    checkpoint: str | None,
    revision: str | None,
    adapter: str | None,
    as_json: bool,
) -> int:
    """Check the installation, or with --model a model's checkpoint.

    The installation: Python, packages, machine, encoder, and whose modules are imported. A
    checkpoint: configuration, weights and tokenizer, the memory it needs, and what would be run;
    its weights are not loaded.
    """
    from bench.config import load_config

    config = load_config(config_path)
    if model is None:
        if checkpoint or revision or adapter:
            raise click.UsageError("--checkpoint, --revision and --adapter need --model, a name")
        return _examine_installation(config, as_json=as_json)
    from bench.checkpoint_checkup import choose_model, examine_model

    spec = choose_model(config, model, checkpoint, revision, adapter)
    checkup = examine_model(config, spec)
    if as_json:
        print_json({"model": model, **_values(checkup)})
    else:
        _show(model, checkup)
    return ExitCode.FINE if checkup.inspection.complete else ExitCode.USAGE


def _examine_installation(config: Config, *, as_json: bool) -> int:
    from bench.checkup import Health, examine

    checks = examine(config)
    if as_json:
        print_json([{"health": c.health, "subject": c.subject, "found": c.found} for c in checks])
    else:
        for check in checks:
            click.echo(f"{check.health.value:8} {check.subject}: {check.found}")
    broken = any(check.health is Health.BROKEN for check in checks)
    return ExitCode.USAGE if broken else ExitCode.FINE


def _show(model: str, checkup: Checkup) -> None:
    inspection = checkup.inspection
    for finding in inspection.findings:
        click.echo(f"{finding.verdict.value:10} {finding.subject}: {finding.found}")
        if finding.remedy:
            click.echo(f"{'':10} → {finding.remedy}")
    if inspection.bytes_by_dtype and inspection.parameters:
        sizes = ", ".join(f"{_size(n)} in {t}" for t, n in inspection.bytes_by_dtype.items())
        click.echo(f"{'memory':10} {inspection.parameters:,} parameters: {sizes}")
    for name, value in checkup.plan.items():
        text = "none" if value is None else str(value)
        click.echo(f"{'would run':10} {name}: {text.replace(chr(10), chr(10) + ' ' * 11)}")
    if checkup.meant_for:
        click.echo(
            f"this is a checkpoint for the adapter {checkup.meant_for!r}: "
            f"--adapter {checkup.meant_for}"
        )
    verdict = "is complete" if inspection.complete else "cannot be run"
    click.echo(f"{model} ({inspection.checkpoint}) {verdict}")


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _values(checkup: Checkup) -> dict[str, object]:
    inspection = checkup.inspection
    return {
        "adapter": inspection.adapter,
        "checkpoint": inspection.checkpoint,
        "complete": inspection.complete,
        "meant_for": checkup.meant_for,
        "findings": [asdict(finding) for finding in inspection.findings],
        "parameters": inspection.parameters,
        "bytes": dict(inspection.bytes_by_dtype),
        "plan": dict(checkup.plan),
    }
