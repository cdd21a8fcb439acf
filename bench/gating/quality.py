"""Scores against their baseline."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from adapters.interface import suggestion
from bench.config import GateSpec, MetricGate
from bench.directions import higher_is_better
from bench.gating.checks import Check, Kind, Verdict
from bench.gating.pairing import Pair
from bench.gating.rules import judge_drop
from bench.score_tables import Drawn, ScoreTable, paired
from bench.tolerances import Tolerance, without_noise

_Drop = tuple[float, float | None, float | None]


class Gated(NamedTuple):
    """A score that has to hold, and how far it may fall."""

    metric: str
    protocol: str
    tolerance: Tolerance
    significance: bool

    @property
    def key(self) -> tuple[str, str]:
        """As in a table of scores."""
        return self.metric, self.protocol


def gated_scores(gate: GateSpec, *tables: ScoreTable) -> list[Gated]:
    """The scores of a suite that have to hold: its main one, and those of ``gate.metrics``.

    The tables are of one suite; a metric that none of them has is another suite's.
    """
    main = tables[0].main_metric, tables[0].protocol
    found: dict[tuple[str, str], MetricGate] = {main: MetricGate()}
    for name, spec in gate.metrics.items():
        key = _key(name, tables[0])
        if key == main or any(key in table.scores for table in tables):
            found[key] = spec
    return [
        Gated(
            *key,
            gate.tolerance if spec.tolerance is None else spec.tolerance,
            gate.significance if spec.significance is None else spec.significance,
        )
        for key, spec in found.items()
    ]


def judge_scores(gate: GateSpec, pair: Pair) -> Iterator[Check]:
    """Compare every gated score of two complete runs that are alike."""
    for gated in gated_scores(gate, pair.entry.table, pair.run.table):
        first, second = (side.table.scores.get(gated.key) for side in pair)
        lack = _lack("baseline", first) or _lack("run", second)
        if first is None or second is None or lack:
            yield Check(
                Kind.QUALITY,
                pair.name,
                _told(gated, pair),
                Verdict.INCOMPLETE,
                lack,
                tolerance=str(gated.tolerance),
            )
        else:
            yield _judged(gated, pair, first, second)


def never_reported(insisted: Collection[str], tables: Sequence[ScoreTable]) -> Iterator[Check]:
    """Metrics that have to hold and that none of the suites has: misspelt, or lost."""
    for name in insisted:
        if tables and not any(_key(name, table) in table.scores for table in tables):
            known = sorted({metric for table in tables for metric, _ in table.scores})
            told = f"none of the suites reports it{suggestion(name, known)}"
            yield Check(Kind.QUALITY, "every suite", name, Verdict.INCOMPLETE, told)


def _key(name: str, table: ScoreTable) -> tuple[str, str]:
    metric, _, protocol = name.partition("@")
    return metric, protocol or table.protocol


def _lack(side: str, drawn: Drawn | None) -> str:
    if drawn is None:
        return f"the {side} has no such score"
    return f"the {side} has nothing to average" if drawn.score.value is None else ""


def _told(gated: Gated, pair: Pair) -> str:
    other = gated.protocol != pair.entry.table.protocol
    return f"{gated.metric} ({gated.protocol})" if other else gated.metric


def _judged(gated: Gated, pair: Pair, first: Drawn, second: Drawn) -> Check:
    found = paired(first, second)
    difference, low, high = (_cut(v) for v in (found.difference, found.low, found.high))
    assert difference is not None
    assert first.score.value is not None
    drop: _Drop = (difference, low, high)
    if higher_is_better(pair.run.kind, gated.metric):
        drop = (-difference, None if high is None else -high, None if low is None else -low)
    verdict = judge_drop(
        *drop, gated.tolerance.allows(first.score.value), significance=gated.significance
    )
    reason = ""
    if gated.significance and _drawn_otherwise(first, second):
        verdict, reason = Verdict.NOT_COMPARABLE, _told_apart(first, second)
    elif verdict is Verdict.INCONCLUSIVE:
        reason = _doubt(first, second, drop, gated.tolerance)
    return Check(
        kind=Kind.QUALITY,
        subject=pair.name,
        name=_told(gated, pair),
        verdict=verdict,
        reason=reason,
        baseline=first.score.value,
        run=second.score.value,
        difference=difference,
        low=low,
        high=high,
        tolerance=str(gated.tolerance),
    )


def _drawn_otherwise(first: Drawn, second: Drawn) -> bool:
    """Whether both keep resamples that are not of the same images, drawn in the same way."""
    return first.draws is not None and second.draws is not None and not first.pairs_with(second)


def _told_apart(first: Drawn, second: Drawn) -> str:
    assert first.draws is not None
    assert second.draws is not None
    if len(first.draws) != len(second.draws):
        return (
            f"{len(first.draws):,} resamples in the baseline and {len(second.draws):,} in the run; "
            f"`bench score --resamples {len(first.draws)}` makes the run's anew"
        )
    return (
        "the resamples are of different images, or drawn with another seed or an older "
        "regionbench; `bench score` makes the run's anew, `bench baseline update` the baseline's"
    )


def _doubt(first: Drawn, second: Drawn, drop: _Drop, tolerance: Tolerance) -> str:
    """Why the question is open, and what would settle it."""
    _, low, high = drop
    if low is not None and high is not None:
        assert first.score.value is not None
        if high - low > tolerance.allows(first.score.value):
            return "the interval is wider than the tolerance"
        return "the drop is larger than tolerated, but may be chance: its interval holds 0"
    if first.score.low is None or second.score.low is None:
        return "fewer than two images have no interval"
    if second.draws is None:
        return "the run keeps no resamples of it; `bench score` adds them"
    if first.draws is None:
        return "the baseline keeps no resamples of it; `bench baseline update` adds them"
    return "no resample has the score in both"


def _cut(value: float | None) -> float | None:
    return None if value is None else without_noise(value)
