"""One model on one suite: ask, store, score."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.interface import AdapterCard, RegionRecognizer, UnsupportedTask
from bench import provenance, scoring
from bench.choices import ModelChoice, SuiteChoice
from bench.engine import Tally, predict
from bench.identity import MASK_SOURCE, Asker, run_id
from bench.manifest import (
    Manifest,
    ModelRecord,
    SelectionRecord,
    SessionRecord,
    SuiteRecord,
)
from bench.part_writer import PartWriter
from bench.store import RunWriter, StoredRun
from suites.base import Scores, Selection, Suite

if TYPE_CHECKING:
    from metrics.encoder import SentenceEncoder

SEED = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one model on one suite.

    ``kept`` is false where the run already covers more than was asked for: the scores shown are
    then of the smaller part, the stored ones of the larger.
    """

    run: StoredRun
    manifest: Manifest
    scores: Scores
    tally: Tally
    kept: bool


def run_model(
    root: Path,
    model: ModelChoice,
    recognizer: RegionRecognizer,
    suite_choice: SuiteChoice,
    suite: Suite,
    encoder: SentenceEncoder,
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
        selected = _selected(suite, selection)
        kept = manifest is None or selected.images >= manifest.selection.images
        if manifest is None:
            manifest = _new_manifest(run, model, recognizer.card, suite_choice, suite, selected)
        elif kept:
            manifest = manifest.model_copy(update={"selection": selected})
        tally = _ask(writer, manifest, recognizer, asker, suite, selected.images, report)
        started = time.monotonic()
        scores = scoring.compute(run, suite, encoder, selection, resamples)
        manifest = run.manifest()
        if kept:
            manifest = scoring.keep(
                writer, scores, encoder, selection, resamples=resamples, started=started
            )
    return Outcome(run, manifest, scores, tally, kept)


def _asker(card: AdapterCard, suite: Suite) -> Asker:
    task = suite.card.task
    if task not in card.prompts:
        raise UnsupportedTask(
            f"{card.checkpoint} ({card.name}) has no prompt for the task {task.value!r} of suite "
            f"{suite.card.name}; it has: {', '.join(sorted(card.prompts)) or 'none'}"
        )
    return Asker.of(card, task, suite.generation)


def _ask(
    writer: RunWriter,
    manifest: Manifest,
    recognizer: RegionRecognizer,
    asker: Asker,
    suite: Suite,
    images: int,
    report: Callable[[Tally], None],
) -> Tally:
    """One session, recorded in the manifest from its start to however it ends."""
    tally = Tally()
    device = recognizer.card.device
    session = SessionRecord(
        started=provenance.now(),
        device=device,
        seed=SEED,
        hardware=provenance.hardware(device),
        code=provenance.code(),
    )
    begun = time.monotonic()

    def record(outcome: str, ended: str | None) -> None:
        now = session.model_copy(
            update={
                "outcome": outcome,
                "ended": ended,
                "seconds": round(time.monotonic() - begun, 3),
                "images_asked": tally.images_asked,
                "regions_asked": tally.regions_asked,
                "warnings": tuple(tally.warnings),
            }
        )
        writer.write_manifest(manifest.model_copy(update={"sessions": (*manifest.sessions, now)}))

    record("running", None)
    outcome = "failed"
    try:
        with PartWriter(writer) as store:
            predict(
                suite,
                recognizer,
                asker,
                store,
                images=images,
                answered=writer.run.answered(),
                tally=tally,
                report=report,
            )
        outcome = "finished"
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    finally:
        record(outcome, provenance.now())
    return tally


def _selected(suite: Suite, selection: Selection) -> SelectionRecord:
    return SelectionRecord(
        limit=selection.limit,
        images=selection.count(len(suite)),
        regions=len(suite.references(selection)),
    )


def _new_manifest(
    run: StoredRun,
    model: ModelChoice,
    card: AdapterCard,
    suite_choice: SuiteChoice,
    suite: Suite,
    selected: SelectionRecord,
) -> Manifest:
    return Manifest(
        run=run.name,
        suite=suite_record(suite_choice, suite),
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


def suite_record(choice: SuiteChoice, suite: Suite) -> SuiteRecord:
    """The suite's entry in a manifest."""
    card = suite.card
    return SuiteRecord(
        name=choice.name,
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
