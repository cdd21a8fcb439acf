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
from bench.gating.tolerances import Tolerance
from bench.score_tables import Drawn, ScoreTable, paired

_NOISE = 9  # decimals: scores have six, the rest is floating point's


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
    drop = (difference, low, high)
    if higher_is_better(pair.run.kind, gated.metric):
        drop = (-difference, None if high is None else -high, None if low is None else -low)
    verdict = judge_drop(
        *drop, gated.tolerance.allows(first.score.value), significance=gated.significance
    )
    return Check(
        kind=Kind.QUALITY,
        subject=pair.name,
        name=_told(gated, pair),
        verdict=verdict,
        reason=_doubt(first, second, low) if verdict is Verdict.INCONCLUSIVE else "",
        baseline=first.score.value,
        run=second.score.value,
        difference=difference,
        low=low,
        high=high,
        tolerance=str(gated.tolerance),
    )


def _doubt(first: Drawn, second: Drawn, low: float | None) -> str:
    """Why the question is open, and what would settle it."""
    if low is not None:
        return "the interval is wider than the tolerance"
    if first.score.low is None or second.score.low is None:
        return "fewer than two images have no interval"
    if first.draws is None:
        return "the baseline keeps no resamples of it; `bench baseline update` adds them"
    return "the run's resamples are not those of the baseline; `bench score` makes them anew"


def _cut(value: float | None) -> float | None:
    return None if value is None else round(value, _NOISE)
