"""``bench import``: answers made elsewhere, stored and scored like any run."""

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


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--suite", required=True, help="The suite that was answered.")
@click.option("--model", required=True, help="What to call the model that answered.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", "answers", "wow-seg", "osprey"]),
    default="auto",
    show_default=True,
    help="answers: JSONL or CSV of region_id and text; wow-seg: result files of "
    "single_mask_infer.py; osprey: what lvis_paco_eval.py printed.",
)
@click.option(
    "--annotations",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The annotation file lvis_paco_eval.py was run with; its log names no image.",
)
@config_option
@suite_options
@click.option("--limit", type=click.IntRange(min=1), help="Only the suite's first N images.")
@resamples_option
@click.option("--no-mlflow", is_flag=True, help="Do not log to MLflow.")
@report_option
@json_option
def command(
    files: tuple[Path, ...],
    suite: str,
    model: str,
    form: str,
    annotations: Path | None,
    config_path: Path | None,
    options: dict[str, str],
    root: str | None,
    limit: int | None,
    resamples: int,
    no_mlflow: bool,
    no_report: bool,
    as_json: bool,
) -> int:
    """Store answers made elsewhere as a run of a model, and score them.

    `bench data index SUITE --export regions.jsonl` writes the regions to answer.
    """
    from bench.choices import choose_suites
    from bench.config import load_config
    from bench.importing import Form, import_run
    from bench.outcomes import finish
    from bench.tracking import Tracker
    from suites.base import Selection

    config = load_config(config_path)
    (choice,) = choose_suites(config, [suite], with_root(options, root))
    outcome = import_run(
        config,
        choice,
        model,
        files,
        form=Form(form),
        annotations=annotations,
        selection=Selection(limit),
        resamples=resamples,
    )
    tracker = Tracker.of(config.contents.mlflow, enabled=not no_mlflow)
    return finish(config, [outcome], tracker, report=not no_report, as_json=as_json)
