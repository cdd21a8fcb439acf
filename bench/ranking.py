"""Ranks of a board's runs: 1 plus the number of runs that are significantly better.

One run is significantly better than another where the 95 % interval of their paired difference,
from the resamples both were scored with, lies on its side of 0. Runs between which it does not
may share a rank.
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

    lacking = np.isnan(draws)
    return [
        int(_significantly_above(draws, row, lacking if lacking.any() else None).sum())
        for row in draws
    ]


def _significantly_above(
    draws: NDArray[np.float32], row: NDArray[np.float32], lacking: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Which rows' differences from ``row`` have an interval above 0: ``[runs]``.

    The lower end lies between two neighbours of the sorted differences, so that counting those
    above 0 decides all but the pairs in which 0 lies about there too.
    """
    import numpy as np

    from metrics.bootstrap import TAIL, interval_of

    pairs = np.full(len(draws), len(row))
    if lacking is not None:
        pairs = np.count_nonzero(~(lacking | np.isnan(row)), axis=1)
    not_above = np.count_nonzero(draws <= row, axis=1)
    position = (pairs - 1) * (TAIL / 100)
    above: NDArray[np.bool_] = (pairs > 0) & ((not_above == 0) | (not_above <= position - 1))
    for at in np.flatnonzero(~above & (pairs > 0) & (not_above < position + 2)):
        low, _ = interval_of(draws[at].astype(np.float64) - row.astype(np.float64))
        above[at] = low is not None and low > 0
    return above
