"""``bench score``: score stored answers anew, without model or pictures."""

from __future__ import annotations

from pathlib import Path

import click

from bench.options import config_option, json_option, report_option, resamples_option


@click.command()
@click.argument("runs", nargs=-1, metavar="[SUITE[/MODEL[/RUN]]]...")
@config_option
@resamples_option
@click.option("--no-mlflow", is_flag=True, help="Do not log to MLflow.")
@report_option
@json_option
def command(
    runs: tuple[str, ...],
    config_path: Path | None,
    resamples: int,
    no_mlflow: bool,
    no_report: bool,
    as_json: bool,
) -> int:
    """Score stored answers anew; needs neither model nor pictures.

    RUNS are names as the board shows them, or their beginnings; default: every stored run.
    """
    from bench.config import load_config
    from bench.exit_codes import ExitCode
    from bench.outcomes import finish
    from bench.output import print_json, warn
    from bench.rescoring import rescore
    from bench.store import find_runs
    from bench.tracking import Tracker

    config = load_config(config_path)
    found = find_runs(config.runs, runs)
    if not found:
        warn(f"no run is stored under {config.runs}; do `bench run`")
        if as_json:
            print_json({"runs": [], "refused": [], "board": None})
        return ExitCode.INCOMPLETE
    outcomes = rescore(config, found, resamples=resamples)
    tracker = Tracker.of(config.contents.mlflow, enabled=not no_mlflow)
    return finish(config, outcomes, tracker, report=not no_report, as_json=as_json)
