"""Ranks of a board's runs: 1 plus the number of runs that are significantly better.

One run is significantly better than another where the 95 % interval of their paired difference,
from the resamples both were scored with, lies on its side of 0. Runs between which it does not
may share a rank. Resampled scores that differ by no more than rounding are equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from bench.directions import higher_is_better
from bench.manifest import Manifest, ScoringRecord
from bench.stored_scores import StoredScores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Contender(NamedTuple):
    """A run's main score as its rank needs it.

    Only runs of one ``column`` are ranked among each other, and of these the ones with a common
    ``sample`` and number of ``draws``, float32 ``[resamples]`` of which larger is better.
    """

    column: tuple[str, ...]
    sample: str
    draws: NDArray[np.float32]


class Rank(NamedTuple):
    """A run's place among ``ranked`` runs, itself included."""

    rank: int | None
    ranked: int


UNRANKED = Rank(None, 0)


def contender_of(
    manifest: Manifest, record: ScoringRecord, stored: StoredScores
) -> Contender | None:
    """The scored run as a contender; ``None`` for part of a suite, or without resamples.

    Raises:
        StoreError: its resamples are damaged.
    """
    suite = manifest.suite
    whole = manifest.selection.images == suite.images and stored.counts.complete
    found = stored.main_draws() if whole else None
    if found is None:
        return None
    draws, sample = found
    identity = (suite.name, suite.version, suite.digest, stored.protocol, record.encoder_digest)
    better_up = higher_is_better(suite.kind, stored.main_metric)
    return Contender((*identity, stored.main_metric), sample, draws if better_up else -draws)


def ranks(contenders: Mapping[str, Contender]) -> dict[str, Rank]:
    """Every contender's rank in its column, by the same names.

    Left out is whoever has not a single resample, and, in a column not all of whose contenders
    pair, whoever is not in its largest group that does (of equal ones that with most resamples).
    """
    import numpy as np

    columns: dict[tuple[str, ...], dict[tuple[int, str], list[str]]]
    columns = defaultdict(lambda: defaultdict(list))
    for name, contender in contenders.items():
        if not np.isnan(contender.draws).all():
            columns[contender.column][len(contender.draws), contender.sample].append(name)
    found: dict[str, Rank] = {}
    for groups in columns.values():
        _, names = max(groups.items(), key=lambda group: (len(group[1]), group[0]))
        better = better_runs(np.stack([contenders[name].draws for name in names]))
        found |= {n: Rank(1 + count, len(names)) for n, count in zip(names, better, strict=True)}
    return found


def better_runs(draws: NDArray[np.float32]) -> list[int]:
    """For each of some runs, how many of the others are significantly better.

    Args:
        draws: ``[runs, resamples]``, larger is better; NaN where a resample lacks the score.
    """
    import numpy as np

    has = ~np.isnan(draws)
    all_have = has.all()
    sure, possible = _from_order(draws)
    better = sure.sum(axis=1)
    for at, row in enumerate(draws):
        others = np.flatnonzero(possible[at])
        pairs = np.full(len(others), len(row))
        if not all_have:
            pairs = np.count_nonzero(has[others] & has[at], axis=1)
        better[at] += _significantly_above(draws[others], row, pairs).sum()
    return [int(count) for count in better]


def _from_order(draws: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which runs are surely better than which, and which others may be: ``[runs, better runs]``.

    Every run's draws, each put in order by itself, decide most pairs without pairing the draws.
    They say nothing where a resample lacks the score, or where there is only one.
    """
    import numpy as np

    runs, resamples = draws.shape
    if resamples < 2:
        return np.zeros((runs, runs), bool), np.ones((runs, runs), bool)
    ordered = np.sort(draws, axis=1)  # NaN comes last
    tolerated = int(_tolerated(np.array(resamples)))
    # Where all but `half` draws of one run lie above all but `tolerated - half` of the other's,
    # no more than `tolerated` pairs can be the other way round. (The larger a draw, the larger
    # what is alike: to lie above the largest of that is to lie above those of all lower draws.)
    half = tolerated // 2
    sure = ordered[:, half] > _largest_alike(ordered[:, half - tolerated - 1, None])
    # Where at most one more is, the draw so many places further up lies above the other's.
    place = (resamples - tolerated - 1) // 2
    possible = ordered[:, place + tolerated + 1] > _largest_alike(ordered[:, place, None])
    lacking = np.isnan(ordered[:, -1])
    unknown = lacking | lacking[:, None]
    return sure & ~unknown, (possible & ~sure) | unknown


def _largest_alike(draws: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each draw the largest that is not above it: equal, or larger by mere rounding.

    Draws are then told apart as pairs' differences are, without taking every pair's difference.
    """
    import numpy as np

    from metrics.bootstrap import ALIKE

    exact = draws.astype(np.float64)
    nearest = (exact + ALIKE).astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest - exact <= ALIKE, nearest, below)


def _tolerated(pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """In how many of the pairs one may be not above the other with the interval still above 0.

    The interval's lower end lies between the difference so many places after the smallest one
    and the next: where one more is at most 0, 0 lies between them too.
    """
    import numpy as np

    from metrics.bootstrap import TAIL

    return ((pairs - 1) * (TAIL / 100)).astype(np.intp)


def _significantly_above(
    draws: NDArray[np.float32], row: NDArray[np.float32], pairs: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which rows' differences from ``row`` have an interval above 0: ``[runs]``.

    ``pairs`` is in how many resamples neither is lacking.
    """
    import numpy as np

    from metrics.bootstrap import difference_of_draws

    not_above = (draws <= _largest_alike(row)).sum(axis=1, dtype=np.uint32)
    tolerated = _tolerated(pairs)
    above: NDArray[np.bool_] = (pairs > 0) & (not_above <= tolerated)
    for at in np.flatnonzero((pairs > 0) & (not_above == tolerated + 1)):
        (low, _), _ = difference_of_draws(draws[at].astype(np.float64), row.astype(np.float64))
        above[at] = low is not None and low > 0
    return above
