"""Scoring stored runs again, from their manifests alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench import scoring
from bench.choices import SuiteChoice
from bench.config import Config
from bench.encoder import ScoringEncoder, load_encoder
from bench.errors import StoreError, StoreFull
from bench.outcomes import Outcome, Refused
from bench.store import StoredRun
from suites.base import Selection, Suite, SuiteError


def rescore(
    config: Config, runs: Iterable[StoredRun], *, resamples: int
) -> Iterator[Outcome | Refused]:
    """Score every run over all it was asked; each suite is opened as the manifest says.

    A run that is damaged or being written, whose suite cannot be opened or has changed since, or
    whose scores contradict its card, is refused; the others are scored.

    Raises:
        StoreFull: no room is left for the scores.
    """
    encoder = load_encoder(config)
    opened: dict[str, Suite] = {}
    for run in runs:
        outcome: Outcome | Refused
        try:
            outcome = _rescored(config, run, encoder, opened, resamples)
        except StoreFull:
            raise  # there would be none for the others either
        except (StoreError, SuiteError) as error:
            outcome = Refused(str(error))
        yield outcome


def _rescored(
    config: Config,
    run: StoredRun,
    encoder: ScoringEncoder,
    opened: dict[str, Suite],
    resamples: int,
) -> Outcome:
    recorded = run.manifest().suite
    suite = opened.get(recorded.digest)
    if suite is None:
        choice = SuiteChoice(recorded.called, recorded.kind, recorded.options, ())
        suite = opened[recorded.digest] = choice.load(config.cache)
    with run.writing() as writer:
        selection = Selection(run.manifest().selection.images)
        scores, manifest = scoring.score(writer, suite, encoder, selection, resamples=resamples)
    return Outcome(run, manifest, scores)
