"""What the gate decides of one number, and of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from bench.exit_codes import ExitCode
from bench.gating.checks import Check, Kind, Verdict


class Outcome(StrEnum):
    """What the whole gate says."""

    PASSED = "passed"
    REGRESSION = "regression"
    INCOMPLETE = "incomplete"
    INCONCLUSIVE = "inconclusive"
    NOTHING = "nothing measured"

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit status."""
        codes = {Outcome.PASSED: ExitCode.FINE, Outcome.REGRESSION: ExitCode.REGRESSION}
        return codes.get(self, ExitCode.INCOMPLETE)


def judge_drop(
    drop: float, low: float | None, high: float | None, allowed: float, *, significance: bool
) -> Verdict:
    """Whether a score fell too far.

    Args:
        drop: how much worse the run is than the baseline; negative where it is better.
        low: lower end of the drop's 95 % interval; ``None`` where there is no interval.
        high: upper end.
        allowed: the largest drop that is tolerated, on the same scale.
        significance: a regression has to be statistically real, too. A larger drop that is not
            leaves the question open, and so does an interval that is wider than the tolerance
            and reaches beyond it.
    """
    if not significance:
        return Verdict.REGRESSION if drop > allowed else Verdict.PASS
    if low is None or high is None:
        return Verdict.INCONCLUSIVE
    if drop > allowed and low > 0:
        return Verdict.REGRESSION
    if drop > allowed or (high > allowed and high - low > allowed):
        return Verdict.INCONCLUSIVE
    return Verdict.PASS


def judge_slowdown(slowdown: float, allowed: float, *, apart: bool) -> Verdict:
    """Whether a point became too slow.

    Args:
        slowdown: the run's median seconds relative to the baseline's, less one.
        allowed: the largest that is tolerated.
        apart: the intervals of the two medians do not overlap.
    """
    if slowdown <= allowed:
        return Verdict.PASS
    return Verdict.REGRESSION if apart else Verdict.INCONCLUSIVE


def outcome_of(checks: Sequence[Check], *, allow_inconclusive: bool) -> Outcome:
    """What all checks come to: the worst of them, and never a pass without a measurement."""
    verdicts = {check.verdict for check in checks if check.counts}
    if Verdict.REGRESSION in verdicts:
        return Outcome.REGRESSION
    if verdicts & {Verdict.INCOMPLETE, Verdict.NOT_COMPARABLE}:
        return Outcome.INCOMPLETE
    if Verdict.INCONCLUSIVE in verdicts and not allow_inconclusive:
        return Outcome.INCONCLUSIVE
    measured = any(check.kind is not Kind.COMPLETENESS and check.measured for check in checks)
    return Outcome.PASSED if measured else Outcome.NOTHING
