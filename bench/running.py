"""One model on one suite: ask, store, score."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from adapters.interface import AdapterCard, RegionRecognizer, UnsupportedTask
from bench import scoring
from bench.choices import ModelChoice, SuiteChoice
from bench.config import Config
from bench.engine import Tally, predict
from bench.identity import MASK_SOURCE, Asker, run_id
from bench.manifest import (
    Manifest,
    ModelRecord,
    SelectionRecord,
    SuiteRecord,
)
from bench.outcomes import Outcome
from bench.output import progress
from bench.part_writer import PartWriter
from bench.scoring import ScoringEncoder
from bench.sessions import session
from bench.store import StoredRun
from suites.base import Selection, Suite


def run_all(
    config: Config,
    models: Sequence[ModelChoice],
    suites: Sequence[SuiteChoice],
    selection: Selection,
    *,
    resamples: int,
) -> Iterator[Outcome]:
    """Every model on every suite, one after another, each model loaded once.

    Raises:
        AdapterError: a model cannot be loaded.
        SuiteError: a suite cannot be opened.
        StoreError: a run cannot be written.
    """
    opened = [(choice, choice.load(config.cache)) for choice in suites]
    encoder = scoring.load_encoder(config)
    for model in models:
        recognizer = model.load()
        for choice, suite in opened:
            images = selection.count(len(suite))
            with progress(f"{model.name} on {choice.name}", images) as report:
                outcome = run_model(
                    config.runs,
                    model,
                    recognizer,
                    choice,
                    suite,
                    encoder,
                    selection=selection,
                    resamples=resamples,
                    report=report,
                )
            yield outcome


def run_model(
    root: Path,
    model: ModelChoice,
    recognizer: RegionRecognizer,
    suite_choice: SuiteChoice,
    suite: Suite,
    encoder: ScoringEncoder,
    *,
    selection: Selection,
    resamples: int,
    report: Callable[[Tally], None] = lambda tally: None,
) -> Outcome:
    """Ask ``recognizer`` what is not yet answered, then score all answers.

    Raises:
        UnsupportedTask: the model has no prompt for the suite's task.
        StoreError: the run is written by another process, or the disk is full.
    """
    asker = _asker(recognizer.card, suite)
    run = StoredRun.at(root, suite_choice.name, model.name, run_id(asker, suite.card, suite.digest))
    with run.writing() as writer:
        manifest = run.manifest() if run.exists else None
        selected = selection_record(suite, selection)
        kept = manifest is None or selected.images >= manifest.selection.images
        if manifest is None:
            manifest = new_manifest(run, model, recognizer.card, suite_choice, suite, selected)
        elif kept:
            manifest = manifest.model_copy(update={"selection": selected})
        with (
            session(writer, manifest, recognizer.card.device) as tally,
            PartWriter(writer) as store,
        ):
            predict(
                suite,
                recognizer,
                asker,
                store,
                images=selected.images,
                answered=run.answered(),
                tally=tally,
                report=report,
            )
        started = time.monotonic()
        scores = scoring.compute(run, suite, encoder, selection, resamples)
        manifest = run.manifest()
        if kept:
            manifest = scoring.keep(
                writer,
                scores,
                encoder,
                images=selected.images,
                resamples=resamples,
                started=started,
            )
    return Outcome(run, manifest, scores, tuple(tally.warnings), kept)


def _asker(card: AdapterCard, suite: Suite) -> Asker:
    task = suite.card.task
    if task not in card.prompts:
        raise UnsupportedTask(
            f"{card.checkpoint} ({card.name}) has no prompt for the task {task.value!r} of suite "
            f"{suite.card.name}; it has: {', '.join(sorted(card.prompts)) or 'none'}"
        )
    return Asker.of(card, task, suite.generation)


def selection_record(suite: Suite, selection: Selection) -> SelectionRecord:
    """The selection's entry in a manifest."""
    return SelectionRecord(
        limit=selection.limit,
        images=selection.count(len(suite)),
        regions=len(suite.references(selection)),
    )


def new_manifest(
    run: StoredRun,
    model: ModelChoice,
    card: AdapterCard,
    suite_choice: SuiteChoice,
    suite: Suite,
    selected: SelectionRecord,
) -> Manifest:
    """The manifest of a run that begins."""
    return Manifest(
        run=run.name,
        command=_command(model, suite_choice, selected.limit),
        suite=_suite_record(suite_choice, suite),
        model=ModelRecord(
            name=model.name,
            adapter=card.name,
            revision=card.revision,
            checkpoint=card.checkpoint,
            checkpoint_digest=card.checkpoint_digest,
            parameters=card.parameters,
            dtype=card.dtype,
            prompt=card.prompts[suite.card.task],
            settings=dict(card.settings),
            base_model=card.base_model,
            licence=card.licence,
            context_dependent=card.context_dependent,
            declared=model.declared(),
        ),
        max_new_tokens=suite.generation.max_new_tokens,
        mask_source=MASK_SOURCE,
        selection=selected,
    )


def _command(model: ModelChoice, suite: SuiteChoice, limit: int | None) -> str:
    words = ["bench", "run", "--model", model.name, "--suite", suite.name]
    return shlex.join(words if limit is None else [*words, "--limit", str(limit)])


def _suite_record(choice: SuiteChoice, suite: Suite) -> SuiteRecord:
    card = suite.card
    return SuiteRecord(
        name=card.name,
        called=choice.name,
        version=card.version,
        digest=suite.digest,
        kind=choice.kind,
        options=dict(choice.options),
        task=card.task,
        protocol=card.protocol,
        main_metric=card.main_metric,
        licence=card.licence,
        source=card.source,
        images=len(suite),
    )
