"""Scoring stored runs again, from their manifests alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench import scoring
from bench.choices import SuiteChoice
from bench.config import Config
from bench.encoder import load_encoder
from bench.outcomes import Outcome
from bench.store import StoredRun
from suites.base import Selection, Suite


def rescore(config: Config, runs: Iterable[StoredRun], *, resamples: int) -> Iterator[Outcome]:
    """Score every run over all it was asked; each suite is opened as the manifest says.

    Raises:
        SuiteError: the suite's index cannot be opened, or its scores contradict its card.
        StoreError: the suite has changed since, or the run is being written.
    """
    encoder = load_encoder(config)
    opened: dict[str, Suite] = {}
    for run in runs:
        recorded = run.manifest().suite
        suite = opened.get(recorded.digest)
        if suite is None:
            choice = SuiteChoice(recorded.called, recorded.kind, recorded.options, ())
            suite = opened[recorded.digest] = choice.load(config.cache)
        with run.writing() as writer:
            selection = Selection(run.manifest().selection.images)
            scores, manifest = scoring.score(writer, suite, encoder, selection, resamples=resamples)
        yield Outcome(run, manifest, scores)
