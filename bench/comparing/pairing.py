"""Which runs of two models are laid side by side, and what of them is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapters.interface import suggestion
from bench.comparing.errors import NotComparable
from bench.errors import ConfigError
from bench.manifest import Manifest, ScoringRecord
from bench.score_tables import ScoreTable, table_of
from bench.store import StoredRun
from bench.stored_scores import StoredScores, current_scores


class Pair(NamedTuple):
    """Two runs to compare; ``suite`` is the name the first was run under."""

    suite: str
    first: StoredRun
    second: StoredRun


@dataclass(frozen=True, slots=True)
class Scored:
    """A run with its scores as they stand."""

    run: StoredRun
    manifest: Manifest
    record: ScoringRecord
    stored: StoredScores
    table: ScoreTable

    @property
    def complete(self) -> bool:
        """Whether every region it was asked about has a final answer."""
        return self.stored.counts.complete


def pairs(
    first: Sequence[StoredRun], second: Sequence[StoredRun], suites: Sequence[str]
) -> list[Pair]:
    """One pair per suite that both sides ran, of ``suites`` where any are named.

    Two single runs are paired whatever the names of their suites.

    Raises:
        ConfigError: both sides are the same run, or a suite is named that they do not share.
    """
    if len(first) == len(second) == 1:
        found = [Pair(_suite(first[0]), first[0], second[0])]
    else:
        others = {_suite(run): run for run in second}
        found = [
            Pair(_suite(run), run, others[_suite(run)]) for run in first if _suite(run) in others
        ]
    for pair in found:
        if pair.first.folder.resolve() == pair.second.folder.resolve():
            raise ConfigError(f"both sides are {pair.first.name}; name two runs to compare")
    known = [pair.suite for pair in found]
    for name in suites:
        if name not in known:
            raise ConfigError(
                f"--suite {name}: the two have no runs of that suite{suggestion(name, known)}; "
                f"both ran: {', '.join(known) or 'none'}"
            )
    return [pair for pair in found if not suites or pair.suite in suites]


def scored(run: StoredRun) -> Scored:
    """The run with its scores.

    Raises:
        NotComparable: its answers were not scored as they stand.
        StoreError: its manifest or scores cannot be read.
    """
    manifest = run.manifest()
    found = current_scores(run, manifest)
    if found is None:
        raise NotComparable(
            f"{run.name} is not scored as it stands; `bench score {run.name}` does that"
        )
    return Scored(run, manifest, *found, table_of(manifest, *found))


def _suite(run: StoredRun) -> str:
    return run.name.split("/")[0]
