"""``bench gate``: do runs hold what a baseline had."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.github_runner import on_github
from bench.options import config_option, json_option
from bench.output import print_table, warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.config import GateSpec
    from bench.gating.judging import Judgement
    from bench.tolerances import Tolerance


def _tolerances(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, Tolerance]:
    from bench.tolerances import parse_tolerance

    found = {}
    for value in values:
        metric, separator, amount = value.rpartition("=")
        if not separator or not metric:
            raise click.BadParameter(f"{value!r} is not of the form METRIC=TOLERANCE")
        try:
            found[metric] = parse_tolerance(amount)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return found


@click.command()
@click.option(
    "--baseline",
    metavar="FILE_OR_RUN",
    help="A baseline file, or a stored run as `bench compare` names it; default: the file of "
    "bench.yaml.",
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="RUN",
    help="A run to gate: SUITE/MODEL, MODEL for all suites of the baseline, SUITE/MODEL/RUN, or "
    "its folder; default: the latest run of every entry of the baseline.",
)
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="METRIC=TOLERANCE",
    callback=_tolerances,
    help="How far a metric may fall: `semantic_iou=0.5` is points of 100, `miou=2%` is of the "
    "baseline's score.",
)
@click.option("--allow-inconclusive", is_flag=True, help="Pass where too few images tell nothing.")
@click.option(
    "--no-significance",
    is_flag=True,
    help="Let every drop beyond its tolerance be a regression, even if it may be chance.",
)
@click.option(
    "--junit",
    "junit_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the checks as JUnit XML.",
)
@click.option(
    "--github/--no-github",
    "github",
    default=None,
    help="Annotations, job summary and outputs of GitHub Actions; default: where one runs.",
)
@config_option
@json_option
def command(
    baseline: str | None,
    runs: tuple[str, ...],
    tolerances: dict[str, Tolerance],
    allow_inconclusive: bool,
    no_significance: bool,
    junit_path: Path | None,
    github: bool | None,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Compare runs with a baseline, and fail where a score fell too far.

    Exit code 0: every gated score holds; 1: a regression; 2: bad usage or configuration; 3: a run
    is incomplete or missing, the scores tell too little, or nothing was compared.
    """
    from bench.config import load_config
    from bench.gating.baselines import find_baseline
    from bench.gating.judging import judge

    config = load_config(config_path)
    gate = _overridden(
        config.contents.gate,
        tolerances,
        allow_inconclusive=allow_inconclusive,
        no_significance=no_significance,
    )
    against = find_baseline(config, baseline)
    judgement = judge(config, gate, against, runs, insisted=tolerances)
    if junit_path is not None:
        _write_junit(junit_path, judgement)
    if on_github(os.environ) if github is None else github:
        _tell_github(judgement, as_json=as_json)
    elif as_json:
        click.echo(_json(judgement))
    else:
        _show(judgement)
    return judgement.outcome.exit_code


def _overridden(
    gate: GateSpec,
    tolerances: dict[str, Tolerance],
    *,
    allow_inconclusive: bool,
    no_significance: bool,
) -> GateSpec:
    """The configuration's gate with what the command line says instead."""
    from bench.config import MetricGate

    metrics = dict(gate.metrics)
    for name, tolerance in tolerances.items():
        spec = metrics.get(name, MetricGate())
        metrics[name] = spec.model_copy(update={"tolerance": tolerance})
    update: dict[str, object] = {"metrics": metrics}
    if allow_inconclusive:
        update["allow_inconclusive"] = True
    if no_significance:
        off = {"significance": False}
        metrics |= {name: spec.model_copy(update=off) for name, spec in metrics.items()}
        update |= off
    return gate.model_copy(update=update)


def _show(judgement: Judgement) -> None:
    from bench.gating.telling import COLUMNS, rows, sentence

    if judgement.checks:
        print_table(COLUMNS, rows(judgement))
    click.echo(sentence(judgement))


def _json(judgement: Judgement) -> str:
    import json

    from bench.gating.telling import sentence

    values = {
        "verdict": judgement.outcome.value,
        "exit_code": int(judgement.outcome.exit_code),
        "baseline": judgement.baseline,
        "sentence": sentence(judgement),
        "checks": [asdict(check) for check in judgement.checks],
    }
    return json.dumps(values, indent=2)


def _tell_github(judgement: Judgement, *, as_json: bool) -> None:
    """Also annotate the job; commands go where they cannot mix with JSON."""
    from bench.gating import github

    if as_json:
        click.echo(github.harmless_json(_json(judgement)))
    else:
        with github.without_commands(click.echo):
            _show(judgement)
    for line in github.commands(judgement):
        click.echo(line, err=as_json)
    _append("GITHUB_STEP_SUMMARY", judgement, github.write_summary)
    _append("GITHUB_OUTPUT", judgement, github.write_outputs)


def _append(variable: str, judgement: Judgement, write: Callable[[Path, Judgement], None]) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    try:
        write(Path(path), judgement)
    except OSError as error:
        warn(f"{variable} cannot be written: {error}")


def _write_junit(path: Path, judgement: Judgement) -> None:
    from bench.gating.junit import junit

    try:
        path.write_bytes(junit(judgement))
    except OSError as error:
        raise click.ClickException(f"--junit {path} cannot be written: {error}") from error
