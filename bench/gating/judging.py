"""Everything the gate looks at, and what it comes to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bench.config import Config, GateSpec
from bench.gating.baselines import Against
from bench.gating.checks import Check, Verdict
from bench.gating.pairing import Pair, pair_up
from bench.gating.quality import judge_scores, never_reported
from bench.gating.rules import Outcome, outcome_of
from bench.gating.slowdowns import judge_speeds
from bench.gating.speeds import read_speeds


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was looked at, against which baseline."""

    baseline: str
    checks: tuple[Check, ...]
    allow_inconclusive: bool

    @property
    def outcome(self) -> Outcome:
        """The gate's last word."""
        return outcome_of(self.checks, allow_inconclusive=self.allow_inconclusive)


def judge(
    config: Config,
    gate: GateSpec,
    against: Against,
    named: Sequence[str],
    insisted: Collection[str] = (),
) -> Judgement:
    """Gate runs against a baseline.

    Args:
        config: where the runs are.
        gate: what has to hold.
        against: the baseline.
        named: the runs, by their names; where there are none, the latest of every entry. Only
            their models' speeds are compared.
        insisted: metrics that at least one of the gated suites has to have. Those of the whole
            gate have to be somewhere in a baseline file.

    Raises:
        ConfigError: a run is its own baseline.
        StoreError: a named run does not exist, or something stored cannot be read.
    """
    found = pair_up(config, against, named)
    checks = []
    for item in found:
        standing = item.standing()
        checks.append(standing)
        if isinstance(item, Pair) and standing.verdict is Verdict.PASS:
            checks += judge_scores(gate, item)
    gated = [side.table for item in found if isinstance(item, Pair) for side in item]
    checks += never_reported(insisted, gated)
    if against.file:
        known = [*gated, *(entry.table for entry in against.baseline.entries.values())]
        checks += never_reported([name for name in gate.metrics if name not in insisted], known)
    if gate.speed.tolerance is not None:
        models = {item.model for item in found}
        kept = against.baseline.speeds.values()
        checks += judge_speeds(
            gate.speed,
            [speed for speed in kept if not named or speed.place.question.model in models],
            read_speeds(config.efficiency, gate.speed).values(),
        )
    return Judgement(against.origin, tuple(checks), gate.allow_inconclusive)
