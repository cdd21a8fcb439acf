"""``bench run``: ask models about suites, score the answers, and write the board."""

from __future__ import annotations

from pathlib import Path

import click

from bench.options import (
    config_option,
    json_option,
    report_option,
    resamples_option,
    suite_options,
    with_root,
)


@click.command()
@config_option
@click.option("--model", "models", multiple=True, help="A model of bench.yaml; default: all.")
@click.option("--suite", "suites", multiple=True, help="A suite; default: all of bench.yaml.")
@click.option("--adapter", help="Run a model that is not in bench.yaml by this adapter.")
@click.option("--checkpoint", help="Its checkpoint: a folder, a Hub id, or bundled:NAME.")
@suite_options
@click.option("--limit", type=click.IntRange(min=1), help="Only the suite's first N images.")
@click.option("--device", help="auto, cpu, cuda, cuda:1 …")
@click.option("--dtype", help="auto, float32, bfloat16 …")
@resamples_option
@click.option("--dry-run", is_flag=True, help="Say what would run and about how long; ask nothing.")
@click.option("--no-mlflow", is_flag=True, help="Do not log to MLflow.")
@report_option
@json_option
def command(
    config_path: Path | None,
    models: tuple[str, ...],
    suites: tuple[str, ...],
    adapter: str | None,
    checkpoint: str | None,
    options: dict[str, str],
    root: str | None,
    limit: int | None,
    device: str | None,
    dtype: str | None,
    resamples: int,
    dry_run: bool,
    no_mlflow: bool,
    no_report: bool,
    as_json: bool,
) -> int:
    """Ask models about suites, score the answers, write the board.

    Goes on where an earlier run of the same question stopped. Without options, every model of
    bench.yaml runs on every suite of it.
    """
    from bench.choices import choose_models, choose_suites
    from bench.config import load_config
    from bench.outcomes import finish
    from bench.running import run_all
    from bench.tracking import Tracker
    from suites.base import Selection

    config = load_config(config_path)
    chosen = choose_models(
        config, models, adapter=adapter, checkpoint=checkpoint, device=device, dtype=dtype
    )
    asked = choose_suites(config, suites, with_root(options, root))
    selection = Selection(limit)
    if dry_run:
        from bench.planning import make_plan, show_plan

        return show_plan(make_plan(config, chosen, asked, selection), as_json=as_json)
    tracker = Tracker.of(config.contents.mlflow, enabled=not no_mlflow)
    outcomes = run_all(config, chosen, asked, selection, resamples=resamples)
    return finish(config, outcomes, tracker, report=not no_report, as_json=as_json)
