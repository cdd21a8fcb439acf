"""``bench certify``: do the adapters compute what the official code computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.exit_codes import ExitCode
from bench.options import config_option, json_option
from bench.output import note, print_json, print_table, warn

if TYPE_CHECKING:
    from bench.certificates import Certificate, Stage


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--fixtures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of golden fixtures, one sub-folder an adapter; else tests/goldens of the source "
    "checkout.",
)
@config_option
@json_option
def command(
    models: tuple[str, ...], fixtures: Path | None, config_path: Path | None, as_json: bool
) -> int:
    """Compare adapters with golden fixtures of the official code, stage by stage.

    MODEL is an adapter, or a model of bench.yaml whose adapter is meant; default: every adapter
    that has fixtures. What was found is kept as a certificate, which runs then carry.
    """
    from adapters.conformance import FixtureError
    from bench.certificates import write_certificate
    from bench.certifying import certify, choose_adapters, fixture_folder
    from bench.config import load_config

    config = load_config(config_path)
    chosen = choose_adapters(config, models)
    made: list[tuple[Path, Certificate]] = []
    for entry in chosen:
        note(f"{entry.name}: comparing …")
        try:
            certificate = certify(entry, fixture_folder(entry, fixtures))
        except FixtureError as error:
            warn(str(error))
            continue
        path = write_certificate(config.certificates, certificate)
        made.append((path, certificate))
        if not as_json:
            _show(path, certificate)
    if as_json:
        values = [{"path": str(p), **c.model_dump(mode="json")} for p, c in made]
        print_json({"certificates": values})
    whole = bool(made) and len(made) == len(chosen)
    passed = whole and all(certificate.passed for _, certificate in made)
    return ExitCode.FINE if passed else ExitCode.INCOMPLETE


def _show(path: Path, certificate: Certificate) -> None:
    verdict = "passed" if certificate.passed else "failed"
    print_table(
        ("stage", "cases", "worst difference", "tolerance", "", "where"),
        [_row(stage) for stage in certificate.stages],
        title=f"{certificate.adapter}, revision {certificate.revision}: {verdict}",
    )
    if certificate.error:
        warn(f"{certificate.adapter} failed on the way: {certificate.error}")
    click.echo(f"  {path}\n")


def _row(stage: Stage) -> tuple[object, ...]:
    difference = "another shape" if stage.difference is None else f"{stage.difference:.2g}"
    tolerance = f"{stage.tolerance:.2g}" if stage.tolerance else "exact"
    verdict = "passed" if stage.passed else "failed"
    where = stage.case if stage.difference != 0 else ""
    return stage.stage, stage.cases, difference, tolerance, verdict, where
