"""Speeds against their baseline, on equal hardware only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.config import SpeedGate
from bench.gating.checks import Check, Kind, Verdict
from bench.gating.rules import judge_slowdown
from bench.gating.speeds import Question, Speed, by_question, looked_at, point_names
from bench.tolerances import Tolerance, without_noise


def judge_speeds(
    gate: SpeedGate, baseline: Iterable[Speed], measured: Iterable[Speed]
) -> Iterator[Check]:
    """Compare every point of the baseline with what was timed on the same hardware here.

    A point that was not, or on other hardware, counts only where speeds are required. One that no
    longer gives a speed on the same hardware counts always.
    """
    if gate.tolerance is None:
        return
    now = by_question(measured)
    kept = [speed for speed in baseline if looked_at(gate, speed.place.question.instances)]
    if gate.required and not kept:
        reason = "the baseline has none; `bench baseline update` adds what was timed"
        yield Check(Kind.SPEED, "every model", "speed", Verdict.INCOMPLETE, reason)
    names = point_names(speed.place.question for speed in kept)
    for question, places in by_question(kept).items():
        found = now.get(question, {})
        same = sorted(places.keys() & found.keys())
        for hardware in same:
            yield _judged(
                gate.tolerance, question, names[question], places[hardware], found[hardware]
            )
        if not same:
            verdict, reason = Verdict.INCOMPLETE, "not timed here; `bench efficiency` does it"
            if found:
                verdict = Verdict.NOT_COMPARABLE
                reason = f"different hardware: {' or '.join(places)}, here {' or '.join(found)}"
            yield Check(
                Kind.SPEED,
                question.model,
                names[question],
                verdict,
                reason,
                counts=gate.required,
            )


def _judged(
    tolerance: Tolerance, question: Question, name: str, first: Speed, second: Speed
) -> Check:
    verdict, difference = Verdict.INCOMPLETE, None
    if first.p50 is not None and second.p50 is not None:
        difference = without_noise(second.p50 / first.p50 - 1)
        verdict = judge_slowdown(difference, tolerance.allows(1.0), apart=_apart(first, second))
    inconclusive = verdict is Verdict.INCONCLUSIVE
    return Check(
        kind=Kind.SPEED,
        subject=question.model,
        name=name,
        verdict=verdict,
        reason="the intervals of both medians overlap" if inconclusive else second.reason,
        baseline=first.p50,
        run=second.p50,
        difference=difference,
        tolerance=str(tolerance),
    )


def _apart(first: Speed, second: Speed) -> bool:
    """Whether the second's interval lies wholly above the first's."""
    return first.high is not None and second.low is not None and second.low > first.high
