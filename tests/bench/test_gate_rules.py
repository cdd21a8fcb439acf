"""What the gate decides, apart from where the numbers come from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config import GateSpec, load_config
from bench.errors import ConfigError
from bench.exit_codes import ExitCode
from bench.gating.checks import Check, Kind, Verdict
from bench.gating.rules import Outcome, judge_drop, judge_slowdown, outcome_of
from bench.tolerances import Tolerance, Unit, parse_share, parse_tolerance, without_noise

# Sixteenths are exact in floating point, and make ties frequent.
sixteenths = st.integers(-48, 48)
tolerances = st.integers(0, 48)
drops = st.tuples(sixteenths, sixteenths, sixteenths).map(
    lambda ends: [min(ends[0], ends[2]), ends[1], max(ends[0], ends[2])]
)
"""Low end, drop, high end; an interval may leave out its own drop."""


def as_written(drop: Sequence[int], allowed: int, *, significance: bool) -> str:
    """The rule as the documentation words it, in whole sixteenths."""
    low, middle, high = drop
    larger, real = middle > allowed, low > 0
    if not significance:
        return "regression" if larger else "pass"
    if larger and real:
        return "regression"
    beyond, wider = high > allowed, Fraction(high - low) > allowed
    return "inconclusive" if larger or (beyond and wider) else "pass"


@given(drops, tolerances, st.booleans())
def test_the_decision_is_the_documented_one(
    drop: list[int], allowed: int, significance: bool
) -> None:
    low, middle, high = (value / 16 for value in drop)
    found = judge_drop(middle, low, high, allowed / 16, significance=significance)
    assert found == as_written(drop, allowed, significance=significance)


def test_it_is_so_in_every_small_case_with_all_ties() -> None:
    seen = set()
    for drop in itertools.product(range(-3, 4), repeat=3):
        for allowed, significance in itertools.product(range(4), (True, False)):
            low, middle, high = map(float, drop)
            if low > high:
                continue
            found = judge_drop(middle, low, high, float(allowed), significance=significance)
            assert found == as_written(drop, allowed, significance=significance)
            seen.add(found)
    assert seen == {Verdict.PASS, Verdict.REGRESSION, Verdict.INCONCLUSIVE}


@given(drops, tolerances, tolerances, st.booleans())
def test_a_wider_tolerance_never_fails_what_a_narrower_one_passes(
    drop: list[int], narrow: int, more: int, significance: bool
) -> None:
    low, middle, high = (value / 16 for value in drop)

    def verdict(allowed: int) -> Verdict:
        return judge_drop(middle, low, high, allowed / 16, significance=significance)

    if verdict(narrow) is Verdict.PASS:
        assert verdict(narrow + more) is Verdict.PASS
    if verdict(narrow + more) is Verdict.REGRESSION:
        assert verdict(narrow) is Verdict.REGRESSION


@given(drops, sixteenths, tolerances, st.booleans())
def test_a_better_run_never_fails_where_a_worse_one_passes(
    drop: list[int], better: int, allowed: int, significance: bool
) -> None:
    low, middle, high = (value / 16 for value in drop)
    shift = abs(better) / 16
    worse = judge_drop(middle, low, high, allowed / 16, significance=significance)
    found = judge_drop(
        middle - shift, low - shift, high - shift, allowed / 16, significance=significance
    )
    if worse is Verdict.PASS:
        assert found is Verdict.PASS
    assert found is not Verdict.REGRESSION or worse is Verdict.REGRESSION


@given(tolerances)
def test_equal_scores_pass_at_any_tolerance(allowed: int) -> None:
    for significance in (True, False):
        assert judge_drop(0.0, 0.0, 0.0, allowed, significance=significance) is Verdict.PASS


def test_a_drop_beyond_the_tolerance_never_passes_by_its_interval() -> None:
    found = judge_drop(0.03, -0.005, 0.009, 0.015, significance=True)
    assert found is Verdict.INCONCLUSIVE


def test_without_an_interval_only_the_number_can_be_judged() -> None:
    assert judge_drop(0.0, None, None, 1.0, significance=True) is Verdict.INCONCLUSIVE
    assert judge_drop(0.5, None, None, 1.0, significance=False) is Verdict.PASS
    assert judge_drop(1.5, None, None, 1.0, significance=False) is Verdict.REGRESSION


@pytest.mark.parametrize(
    ("slowdown", "apart", "verdict"),
    [
        (-0.5, True, Verdict.PASS),
        (0.1, True, Verdict.PASS),
        (0.2, True, Verdict.REGRESSION),
        (0.2, False, Verdict.INCONCLUSIVE),
    ],
)
def test_a_slowdown_has_to_be_large_and_real(
    slowdown: float, apart: bool, verdict: Verdict
) -> None:
    assert judge_slowdown(slowdown, 0.1, apart=apart) is verdict


def check(verdict: Verdict, kind: Kind = Kind.QUALITY, *, counts: bool = True) -> Check:
    return Check(kind, "m on s", "x", verdict, counts=counts)


PASS = check(Verdict.PASS)
WHOLE = check(Verdict.PASS, Kind.COMPLETENESS)
ELSEWHERE = check(Verdict.NOT_COMPARABLE, Kind.SPEED, counts=False)


@pytest.mark.parametrize(
    ("checks", "outcome", "code"),
    [
        ([WHOLE, PASS], Outcome.PASSED, 0),
        ([WHOLE, PASS, ELSEWHERE], Outcome.PASSED, 0),
        ([check(Verdict.PASS, Kind.SPEED)], Outcome.PASSED, 0),
        ([PASS, check(Verdict.REGRESSION), check(Verdict.INCOMPLETE)], Outcome.REGRESSION, 1),
        ([PASS, check(Verdict.INCOMPLETE, Kind.COMPLETENESS)], Outcome.INCOMPLETE, 3),
        ([PASS, check(Verdict.NOT_COMPARABLE)], Outcome.INCOMPLETE, 3),
        ([PASS, check(Verdict.INCONCLUSIVE)], Outcome.INCONCLUSIVE, 3),
        ([], Outcome.NOTHING, 3),
        ([WHOLE], Outcome.NOTHING, 3),
        ([WHOLE, ELSEWHERE], Outcome.NOTHING, 3),
    ],
)
def test_the_exit_code_says_the_worst_and_never_fine_for_nothing(
    checks: list[Check], outcome: Outcome, code: int
) -> None:
    assert outcome_of(checks, allow_inconclusive=False) is outcome
    assert outcome.exit_code == code


def test_what_is_inconclusive_passes_only_where_that_is_allowed() -> None:
    checks = [PASS, check(Verdict.INCONCLUSIVE)]
    assert outcome_of(checks, allow_inconclusive=True) is Outcome.PASSED
    worse = [*checks, check(Verdict.INCOMPLETE)]
    assert outcome_of(worse, allow_inconclusive=True) is Outcome.INCOMPLETE


@given(st.lists(st.builds(check, st.sampled_from(Verdict), st.sampled_from(Kind))), st.booleans())
def test_fine_means_that_nothing_failed_and_something_was_measured(
    checks: list[Check], allowed: bool
) -> None:
    outcome = outcome_of(checks, allow_inconclusive=allowed)
    if outcome.exit_code == ExitCode.FINE:
        good = {Verdict.PASS, Verdict.INCONCLUSIVE} if allowed else {Verdict.PASS}
        assert {found.verdict for found in checks} <= good
        assert any(found.kind is not Kind.COMPLETENESS for found in checks)


@pytest.mark.parametrize(
    ("given_as", "tolerance"),
    [
        (0.5, Tolerance(0.5, Unit.POINTS)),
        (1, Tolerance(1.0, Unit.POINTS)),
        ("0.5", Tolerance(0.5, Unit.POINTS)),
        ("0.5 points", Tolerance(0.5, Unit.POINTS)),
        (" 1 point ", Tolerance(1.0, Unit.POINTS)),
        (".5points", Tolerance(0.5, Unit.POINTS)),
        ("2%", Tolerance(2.0, Unit.PERCENT)),
        ("2.5 %", Tolerance(2.5, Unit.PERCENT)),
    ],
)
def test_a_tolerance_is_points_unless_it_says_per_cent(
    given_as: object, tolerance: Tolerance
) -> None:
    assert parse_tolerance(given_as) == tolerance
    assert parse_tolerance(str(tolerance)) == tolerance


@pytest.mark.parametrize(
    "given_as",
    [*(-1, 101, True, None, float("nan"), "", "0,5", "-1", "2 percent", "1e3", "½", "٣"), [1]],
)
def test_what_is_no_tolerance_is_refused(given_as: object) -> None:
    with pytest.raises(ValueError, match=r"write `0\.5 points`"):
        parse_tolerance(given_as)


def test_a_slowdowns_tolerance_needs_its_unit() -> None:
    assert parse_share("10 %") == Tolerance(10.0, Unit.PERCENT)
    with pytest.raises(ValueError, match="write `10 %`"):
        parse_share(0.1)


@pytest.mark.parametrize("tenths", range(1, 100))
def test_a_drop_of_exactly_the_tolerance_is_tolerated(tenths: int) -> None:
    drop = without_noise(0.8 - (0.8 - tenths / 1000))
    assert drop <= parse_tolerance(f"{tenths / 10} points").allows(0.8) == tenths / 1000
    assert without_noise(drop + 1e-6) > parse_tolerance(f"{tenths / 10} points").allows(0.8)


def test_a_tolerance_is_of_the_scale_or_of_the_baseline() -> None:
    assert Tolerance(0.5, Unit.POINTS).allows(0.8) == 0.005
    assert Tolerance(2.0, Unit.PERCENT).allows(0.8) == pytest.approx(0.016)
    assert Tolerance(2.0, Unit.PERCENT).allows(-0.5) == pytest.approx(0.01)


def test_the_documented_examples_are_what_the_rule_says(repository: Path) -> None:
    text = (repository / "docs" / "gate.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (-?[\d.]+) \| (\S+) to (\S+) \| (\S+) \| (\w+) \|", text, re.MULTILINE)
    assert {verdict for *_, verdict in found} == {"pass", "regression", "inconclusive"}
    for *numbers, verdict in found:
        drop, low, high, allowed = map(float, numbers)
        assert judge_drop(drop, low, high, allowed, significance=True) == verdict


def test_the_documented_configuration_is_read(repository: Path, tmp_path: Path) -> None:
    text = (repository / "docs" / "gate.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(gate:.*?)```", text, re.DOTALL)
    (tmp_path / "bench.yaml").write_text(section)
    gate = load_config(tmp_path / "bench.yaml").contents.gate
    assert gate.tolerance == GateSpec().tolerance == Tolerance(0.5, Unit.POINTS)
    assert gate.metrics["miou"].tolerance == Tolerance(2.0, Unit.PERCENT)
    assert gate.metrics["semantic_similarity[rare]"].significance is False
    assert gate.speed.instances == (1, 32)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tolerances: 1", "unknown key `gate.tolerances`; did you mean 'tolerance'"),
        ("metrics: {pq: {tol: 1}}", "unknown key `gate.metrics.pq.tol`; did you mean 'tolerance'"),
        ("metrics: {pq: 101}", "`gate.metrics.pq.tolerance`"),
        ("speed: {tolerance: 0.1}", "write `10 %`"),
        ("speed: {required: true}", "a required speed needs a tolerance"),
        ("speed: {tolerance: 10 %, instances: [0]}", "`gate.speed.instances.0`"),
    ],
)
def test_a_gate_that_cannot_be_used_is_refused_with_its_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text(f"gate:\n  {text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert f"{path}, line 2" in str(caught.value)
    assert complaint in str(caught.value)
