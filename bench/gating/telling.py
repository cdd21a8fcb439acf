"""A judgement in words and tables; whatever is in the names, everything is one line of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bench.gating.checks import Check, Kind, Verdict
from bench.gating.judging import Judgement
from bench.gating.rules import Outcome

COLUMNS = ("", "score", "baseline", "run", "difference [95 %]", "tolerance", "verdict")

Row = tuple[str, ...]


def one_line(text: str) -> str:
    """The text with every control character and line break as a blank, and no lone surrogates."""
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return shown.encode("utf-8", "replace").decode("utf-8")


def rows(judgement: Judgement) -> list[Row]:
    """Every check as a row, but for complete runs, which need no mention."""
    return [
        row(check)
        for check in judgement.checks
        if check.kind is not Kind.COMPLETENESS or check.verdict is not Verdict.PASS
    ]


def sentence(judgement: Judgement) -> str:
    """What the gate says, in one sentence."""
    outcome, checks = judgement.outcome, judgement.checks
    if outcome is Outcome.NOTHING:
        what = "no score or speed could be compared" if checks else "the baseline is empty"
        return f"Nothing was measured: {what}."
    if outcome is Outcome.PASSED:
        return f"Passed: {_passed(judgement)}."
    worst = [check for check in checks if check.counts and check.verdict in _VERDICTS[outcome]]
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    return f"{outcome.value.capitalize()}: {describe(worst[0])}{more}."


def describe(check: Check) -> str:
    """One check in words."""
    what = one_line(f"{check.name} of {check.subject}")
    if check.kind is Kind.COMPLETENESS:
        what = one_line(check.subject)
    if check.verdict is not Verdict.REGRESSION or check.difference is None:
        return f"{what}: {one_line(check.reason) or check.verdict.value}"
    if check.kind is Kind.SPEED:
        change = f"takes {check.difference:.1%} longer"
    else:
        change = f"is {100 * abs(check.difference):.2f} points worse"
    return f"{what} {change}, tolerated are {check.tolerance}"


def number(kind: Kind, value: float | None) -> str:
    """A score in points of 100, or seconds in milliseconds."""
    if value is None:
        return ""
    return f"{1000 * value:,.1f} ms" if kind is Kind.SPEED else f"{100 * value:.2f}"


def difference(kind: Kind, value: float | None, low: float | None, high: float | None) -> str:
    """A change with its interval: of scores in points of 100, of seconds in per cent."""
    if value is None:
        return ""
    if kind is Kind.SPEED:
        return f"{value:+.1%}"
    if low is None or high is None:
        return f"{100 * value:+.2f}"
    return f"{100 * value:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


_VERDICTS = {
    Outcome.REGRESSION: (Verdict.REGRESSION,),
    Outcome.INCOMPLETE: (Verdict.INCOMPLETE, Verdict.NOT_COMPARABLE),
    Outcome.INCONCLUSIVE: (Verdict.INCONCLUSIVE,),
}


def _passed(judgement: Judgement) -> str:
    measured = [check for check in judgement.checks if check.measured]
    parts = [
        _counted([c for c in measured if c.kind is kind], what)
        for kind, what in ((Kind.QUALITY, "score"), (Kind.SPEED, "speed"))
    ]
    told = " and ".join(part for part in parts if part)
    open_ones = sum(check.verdict is Verdict.INCONCLUSIVE for check in measured)
    allowed = f", of which {open_ones} inconclusive (allowed)" if open_ones else ""
    return f"{told} compared with {one_line(judgement.baseline)}{allowed}"


def _counted(checks: Sequence[Check], what: str) -> str:
    count = len(checks)
    return f"{count:,} {what}{'' if count == 1 else 's'}" if count else ""


def row(check: Check) -> Row:
    """A check as a row of :data:`COLUMNS`."""
    reason = f": {one_line(check.reason)}" if check.reason else ""
    ignored = "" if check.counts else " (not required)"
    return (
        one_line(check.subject),
        one_line(check.name),
        number(check.kind, check.baseline),
        number(check.kind, check.run),
        difference(check.kind, check.difference, check.low, check.high),
        one_line(check.tolerance),
        f"{check.verdict.value}{ignored}{reason}",
    )
