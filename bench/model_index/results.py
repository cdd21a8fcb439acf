"""Stored runs as the evaluation results of a model card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.errors import CardError
from bench.manifest import Manifest, ScoringRecord
from bench.store import StoredRun
from bench.stored_scores import StoredScores, current_scores
from reports import formatting, paths
from reports.families import suite_title
from suites.base import Score

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

HARNESS = "regionbench"
"""What an entry of ours names in its data set's arguments."""

_DECIMALS = 2
_SEGMENTATION = ("image-segmentation", "Segmentation with ground-truth masks")
_TASKS = {
    "pq": _SEGMENTATION,
    "miou": _SEGMENTATION,
    "mask_accuracy": ("image-segmentation", "Classification of ground-truth masks"),
}
_RECOGNITION = ("image-text-to-text", "Region recognition")


class Exported(NamedTuple):
    """The results of one model's runs, and the runs left out with the reason."""

    model: str
    results: list[EvalResult]
    left_out: list[str]


def export(runs: Iterable[StoredRun], url: str | None) -> Exported:
    """The scores of complete runs of whole suites, of one model, by their own protocols.

    Args:
        runs: one model's runs.
        url: where the site is served, for the link to each run's page.

    Raises:
        CardError: they are runs of several models, or several runs of one suite.
        StoreError: a run cannot be read.
    """
    results: list[EvalResult] = []
    left_out: list[str] = []
    models: dict[str, None] = {}
    told: dict[str, list[str]] = {}
    for run in sorted(set(runs), key=lambda run: run.name):
        manifest = run.manifest()
        models.setdefault(manifest.model.name)
        found = current_scores(run, manifest)
        if found is None:
            left_out.append(f"{run.name} is not scored; `bench score {run.name}` does it")
        elif reason := _unfit(manifest, found[1]):
            left_out.append(f"{run.name} {reason}")
        else:
            results += _results(run, manifest, *found, url)
            told.setdefault(manifest.suite.digest, []).append(run.name)
    if len(models) > 1:
        raise CardError(
            f"these are runs of {len(models)} models: {', '.join(sorted(models))}; a model card is "
            "about one"
        )
    if repeated := next((names for names in told.values() if len(names) > 1), None):
        raise CardError(
            f"these are {len(repeated)} runs of one suite: {', '.join(repeated)}; a card tells one "
            "score of each metric, so name the run that it is about"
        )
    return Exported(next(iter(models), ""), results, left_out)


def _unfit(manifest: Manifest, stored: StoredScores) -> str:
    """Why a run's numbers are no scores of the suite; empty where they are."""
    counts, selection = stored.counts, manifest.selection
    if not counts.complete:
        lacking = counts.errored + counts.missing
        return f"is incomplete: {lacking:,} of {counts.expected:,} regions have no answer"
    if selection.images != manifest.suite.images:
        return f"covers {selection.images:,} of {manifest.suite.images:,} images of its suite"
    return ""


def _results(
    run: StoredRun, manifest: Manifest, record: ScoringRecord, stored: StoredScores, url: str | None
) -> list[EvalResult]:
    from huggingface_hub import EvalResult

    suite, model = manifest.suite, manifest.model
    task, task_name = _TASKS.get(suite.main_metric, _RECOGNITION)
    page = None if url is None else f"{url.rstrip('/')}/{paths.run_page(run.name)}"
    return [
        EvalResult(
            task_type=task,
            task_name=task_name,
            dataset_type=suite.name,
            dataset_name=suite_title(suite.name),
            dataset_revision=suite.digest,
            dataset_args={
                "harness": HARNESS,
                "version": suite.version,
                "checkpoint": model.checkpoint,
                "checkpoint_digest": model.checkpoint_digest,
                "settings": dict(model.settings),
            },
            metric_type=score.metric,
            metric_name=formatting.words(score.metric),
            metric_value=_points(score.value),
            metric_args=_arguments(score, record),
            verified=False,
            source_name=None if page is None else HARNESS,
            source_url=page,
        )
        for score in _own_scores(stored, suite.main_metric)
    ]


def _own_scores(stored: StoredScores, main_metric: str) -> list[Score]:
    """The suite's overall scores by its own protocol, the main one first."""
    own = [
        score
        for score in stored.table
        if score.protocol == stored.protocol and "[" not in score.metric and score.value is not None
    ]
    return sorted(own, key=lambda score: score.metric != main_metric)


def _arguments(score: Score, record: ScoringRecord) -> dict[str, Any]:
    return {
        "protocol": score.protocol,
        "encoder": f"{record.encoder}@{record.encoder_revision or record.encoder_digest[:12]}",
        "unit": "points (x100)",
        "low": _points(score.low),
        "high": _points(score.high),
        "count": score.count,
    }


def _points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, _DECIMALS)
