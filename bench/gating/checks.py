"""One thing the gate looked at, with its numbers and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the gate says of one number."""

    PASS = "pass"
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"
    INCOMPLETE = "incomplete"
    NOT_COMPARABLE = "not comparable"


class Kind(StrEnum):
    """What was looked at."""

    COMPLETENESS = "completeness"
    QUALITY = "quality"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Check:
    """A score, a speed, or whether a run is complete at all.

    ``subject`` is whose it is, such as ``tiny-sm on shapes``, and ``name`` what: a metric, or the
    point of a sweep. ``baseline`` and ``run`` are scores in [0, 1], or median seconds;
    ``difference`` is run minus baseline with its 95 % interval, of seconds as a share of the
    baseline's. ``reason`` says why there is no number or no pass. What does not count, such as a
    speed of other hardware, neither fails the gate nor lets it pass.
    """

    kind: Kind
    subject: str
    name: str
    verdict: Verdict
    reason: str = ""
    baseline: float | None = None
    run: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    tolerance: str = ""
    counts: bool = True

    @property
    def measured(self) -> bool:
        """Whether there was a number to decide about."""
        return self.verdict in (Verdict.PASS, Verdict.REGRESSION, Verdict.INCONCLUSIVE)
