"""One model on one suite: ask, store, score."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.answer_files import file_digest
from adapters.interface import AdapterCard, RegionRecognizer, UnsupportedTask
from adapters.lifecycle import Closes, KeepsLog
from bench import scoring
from bench.beginning import new_manifest, selection_record
from bench.certificates import noted_certificate
from bench.choices import ModelChoice, SuiteChoice
from bench.config import Config
from bench.encoder import ScoringEncoder, load_encoder
from bench.engine import Tally, predict
from bench.identity import Asker, run_id
from bench.manifest import CertificateRecord
from bench.outcomes import Outcome, Refused
from bench.output import progress
from bench.part_writer import PartWriter
from bench.sessions import continued, dated_as_before, session
from bench.store import StoredRun
from suites.base import Selection, Suite, SuiteError

"""Where in a run's folder a model's own messages are kept; not part of its results."""


def run_all(
    config: Config,
    models: Sequence[ModelChoice],
    suites: Sequence[SuiteChoice],
    selection: Selection,
    *,
    resamples: int,
) -> Iterator[Outcome | Refused]:
    """Every model on every suite, one after another, each model loaded once, and alone.

    Where a suite fails at one model, such as by scores that contradict its card, the others go on.

    Raises:
        AdapterError: a model cannot be loaded.
        SuiteError: a suite cannot be opened.
        StoreError: a run cannot be written.
    """
    opened = [(choice, choice.load(config.cache)) for choice in suites]
    encoder = load_encoder(config)
    for model in models:
        yield from _on_every_suite(config, model, opened, encoder, selection, resamples)
        _release_memory()


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
    certificate: CertificateRecord | None = None,
    report: Callable[[Tally], None] = lambda tally: None,
) -> Outcome:
    """Ask ``recognizer`` what is not yet answered, then score all answers.

    A scoring that gives the same files again keeps its date, as nothing was scored anew: what was
    made from it, such as a comparison, still holds.

    Raises:
        UnsupportedTask: the model has no prompt for the suite's task.
        StoreError: the run is written by another process, or the disk is full.
        SuiteError: the suite's scores contradict its card; the answers are stored.
    """
    asker = _asker(recognizer.card, suite)
    run = StoredRun.at(root, suite_choice.name, model.name, run_id(asker, suite.card, suite.digest))
    selected = selection_record(suite, selection)
    limit = () if selection.limit is None else ("--limit", str(selection.limit))
    command = ("bench", "run", *model.words, *suite_choice.words, *limit)
    fresh = new_manifest(run, command, model, recognizer.card, suite_choice, suite, selected)
    with run.writing() as writer:
        manifest, kept = continued(run, fresh)
        earlier, files = manifest.scorings, _contents(run.scores_folder)
        if isinstance(recognizer, KeepsLog):
            recognizer.log_to(run.log_path)
        with (
            session(writer, manifest, recognizer.card.device, certificate) as tally,
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
        scores, manifest = scoring.score(
            writer, suite, encoder, selection, resamples=resamples, kept=kept
        )
        if kept and _contents(run.scores_folder) == files:
            manifest = dated_as_before(manifest, earlier)
            writer.write_manifest(manifest)
    return Outcome(run, manifest, scores, tuple(tally.warnings), kept)


def _contents(folder: Path) -> dict[Path, str]:
    return {path: file_digest(path) for path in folder.rglob("*") if path.is_file()}


def _on_every_suite(
    config: Config,
    model: ModelChoice,
    suites: Sequence[tuple[SuiteChoice, Suite]],
    encoder: ScoringEncoder,
    selection: Selection,
    resamples: int,
) -> Iterator[Outcome | Refused]:
    """One model's part of :func:`run_all`; nothing refers to the model when it has ended."""
    with _loaded(model) as recognizer:
        for choice, suite in suites:
            images = selection.count(len(suite))
            outcome: Outcome | Refused
            try:
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
                        certificate=noted_certificate(config.certificates, recognizer.card),
                        report=report,
                    )
            except SuiteError as error:
                outcome = Refused(str(error))
            yield outcome


def _release_memory() -> None:
    """Give back what the last model held: the next may fit only without it.

    Recognizers hold cycles (captured graphs, hooks), which go with the garbage alone.
    """
    gc.collect()
    torch = sys.modules.get("torch")  # a model that needed none left nothing there
    if torch is not None and torch.cuda.is_initialized():
        with suppress(RuntimeError):  # the device is gone, and its memory with it
            torch.cuda.empty_cache()


@contextmanager
def _loaded(model: ModelChoice) -> Iterator[RegionRecognizer]:
    recognizer = model.load()
    try:
        yield recognizer
    finally:
        if isinstance(recognizer, Closes):
            recognizer.close()


def _asker(card: AdapterCard, suite: Suite) -> Asker:
    task = suite.card.task
    if task not in card.prompts:
        raise UnsupportedTask(
            f"{card.checkpoint} ({card.name}) has no prompt for the task {task.value!r} of suite "
            f"{suite.card.name}; it has: {', '.join(sorted(card.prompts)) or 'none'}"
        )
    return Asker.of(card, task, suite.generation)
