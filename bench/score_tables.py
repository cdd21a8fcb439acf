"""A run's scores with their resamples, and the paired differences of two runs' scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from suites.base import Counts, Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.manifest import Manifest, ScoringRecord
    from bench.stored_scores import StoredScores


class Drawn(NamedTuple):
    """A score with its resamples ``[resamples]`` and the digest of the images they are from.

    ``draws`` is ``None`` where none were kept.
    """

    score: Score
    draws: NDArray[np.float64] | None
    sample: str

    def pairs_with(self, other: Drawn) -> bool:
        """Whether both have resamples, and the r-th of either is of the same images."""
        return (
            self.draws is not None
            and other.draws is not None
            and self.sample == other.sample
            and len(self.draws) == len(other.draws)
        )


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """All scores of a run, whoever keeps them: its folder or a baseline file.

    ``suite`` is the suite's own name, ``called`` the one it was run under; ``images`` is how many
    images of it were asked about.
    """

    run: str
    model: str
    suite: str
    called: str
    suite_version: str
    suite_digest: str
    protocol: str
    main_metric: str
    encoder_digest: str
    images: int
    counts: Counts
    scores: Mapping[tuple[str, str], Drawn]

    @property
    def main(self) -> Drawn | None:
        """The board's number."""
        return self.scores.get((self.main_metric, self.protocol))

    def unlike(self, other: ScoreTable) -> str:
        """Why scores of the two do not compare, in words; empty where they do."""
        for what, mine, theirs in (
            ("suites", self.suite, other.suite),
            ("suite versions", self.suite_version, other.suite_version),
            ("annotations (suite digests)", self.suite_digest[:12], other.suite_digest[:12]),
            ("protocols", self.protocol, other.protocol),
            ("sentence encoders", self.encoder_digest[:12], other.encoder_digest[:12]),
        ):
            if mine != theirs:
                return f"different {what}: {mine} and {theirs}"
        return ""


class Paired(NamedTuple):
    """The second run's score minus the first's, with 95 % interval and two-sided p.

    Without common resamples there is a ``difference`` but no interval.
    """

    metric: str
    protocol: str
    first: Score
    second: Score
    difference: float | None
    low: float | None
    high: float | None
    p: float | None


def table_of(manifest: Manifest, record: ScoringRecord, stored: StoredScores) -> ScoreTable:
    """The table of a stored scoring.

    Raises:
        StoreError: its resamples are damaged.
    """
    draws = stored.draws()
    return ScoreTable(
        run=manifest.run,
        model=manifest.model.name,
        suite=manifest.suite.name,
        called=manifest.suite.called,
        suite_version=manifest.suite.version,
        suite_digest=manifest.suite.digest,
        protocol=stored.protocol,
        main_metric=stored.main_metric,
        encoder_digest=record.encoder_digest,
        images=stored.images,
        counts=stored.counts,
        scores={
            (score.metric, score.protocol): Drawn(
                score,
                None if draws is None else draws.values[at].astype("float64"),
                "" if draws is None else draws.samples[at],
            )
            for at, score in enumerate(stored.table)
        },
    )


def paired(first: Drawn, second: Drawn) -> Paired:
    """Compare one score of two runs, resample by resample where both drew the same images."""
    from metrics.bootstrap import ALIKE, difference_of_draws

    one, other = first.score, second.score
    difference = low = high = p = None
    if one.value is not None and other.value is not None:
        difference = other.value - one.value
        if abs(difference) <= ALIKE:
            difference = 0.0
        if first.pairs_with(second):
            assert first.draws is not None
            assert second.draws is not None
            (low, high), p = difference_of_draws(second.draws, first.draws)
    return Paired(one.metric, one.protocol, one, other, difference, low, high, p)
