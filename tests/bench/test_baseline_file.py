"""The baseline file: what it holds, how it changes, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from bench.config import GateSpec, MetricGate
from bench.errors import StoreError
from bench.gating.baseline_file import encode, read_baseline, write_baseline
from bench.gating.changes import updated
from bench.gating.checks import Verdict
from bench.gating.contents import Baseline
from bench.gating.entries import Entry
from bench.gating.pairing import Pair
from bench.gating.quality import judge_scores
from bench.gating.resamples import pack, rounded, unpack
from bench.score_tables import Drawn, ScoreTable
from bench.store import stored_runs
from bench.tolerances import Tolerance, Unit
from suites.base import Counts, Score
from tests.bench.gating_runs import FEW, Captured, answer, forget, regions
from tests.bench.kinds import Bench

scores = st.floats(-1, 1, allow_subnormal=False)


def entry(
    draws: dict[str, NDArray[np.float64]], model: str = "m", called: str = "s", **changed: Any
) -> Entry:
    """Of every metric its resamples; the value is their mean."""
    values: dict[str, Any] = {
        "run": f"{called}/{model}/0",
        "model": model,
        "suite": "own name",
        "called": called,
        "suite_version": "1",
        "suite_digest": "ab" * 32,
        "protocol": "p",
        "main_metric": next(iter(draws)),
        "encoder_digest": "cd" * 32,
        "images": 9,
        "counts": Counts(12, 12, 0, 0, 0, 0),
        "scores": {
            (metric, "p"): Drawn(
                Score(metric, "p", float(np.nanmean(drawn)), -0.5, 0.5, 12), drawn, "images"
            )
            for metric, drawn in draws.items()
        },
    }
    return Entry(rounded(ScoreTable(**(values | changed))), "kind", "ef" * 32, "9f2c")


def kept(*entries: Entry, gate: GateSpec | None = None) -> Baseline:
    return updated(Baseline({}, {}), entries, {}, gate or GateSpec())


@given(arrays(np.float64, st.integers(0, 40), elements=scores | st.just(np.nan)))
def test_resamples_come_back_to_the_millionth(draws: NDArray[np.float64]) -> None:
    found = unpack(pack(draws))
    assert np.array_equal(np.isnan(found), np.isnan(draws))
    assert np.all(np.abs(found - draws)[~np.isnan(draws)] <= 0.51e-6)
    assert np.array_equal(unpack(pack(found)), found, equal_nan=True)


def test_a_thousand_resamples_take_about_three_kilobytes() -> None:
    draws = np.random.default_rng(0).normal(0.7, 0.01, 1000)
    assert len(pack(draws)) < 4000


@pytest.mark.parametrize("text", ["", "eA==", "?", "e" * 40, pack(np.ones(9))[:-4]])
def test_damaged_resamples_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(text)


def test_a_text_that_unpacks_without_end_is_refused() -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    with pytest.raises(ValueError, match="damaged"):
        unpack(bomb)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b[rare]"]), arrays(np.float64, 20, elements=scores), min_size=1
    ),
    st.floats(0, 100),
    st.sampled_from(Unit),
    st.booleans(),
)
def test_a_run_passes_against_its_own_file_at_any_tolerance(
    tmp_path_factory: pytest.TempPathFactory,
    draws: dict[str, NDArray[np.float64]],
    amount: float,
    unit: Unit,
    significance: bool,
) -> None:
    tolerance = Tolerance(amount, unit)
    gate = GateSpec(
        tolerance=tolerance, significance=significance, metrics=dict.fromkeys(draws, MetricGate())
    )
    path = tmp_path_factory.mktemp("baseline") / "baseline.json"
    run = entry(draws)
    write_baseline(path, kept(run, gate=gate))
    stored = read_baseline(path).entries["s", "m"]
    judged = list(judge_scores(gate, Pair(stored, run)))
    assert len(judged) == len(draws)
    assert {check.verdict for check in judged} == {Verdict.PASS}
    assert all(check.difference == check.low == check.high == 0 for check in judged)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"suite": "another"}, "different suites"),
        ({"suite_version": "2"}, "different suite versions: 1 and 2"),
        ({"suite_digest": "00" * 32}, "different annotations"),
        ({"protocol": "q"}, "different protocols: p and q"),
        ({"encoder_digest": "00" * 32}, "different sentence encoders"),
        ({"images": 8}, "different selections: 9 and 8 images"),
    ],
)
def test_runs_of_something_else_are_not_comparable(changed: dict[str, Any], complaint: str) -> None:
    draws = {"a": np.linspace(0, 1, 9)}
    standing = Pair(entry(draws), entry(draws, **changed)).standing()
    assert standing.verdict is Verdict.NOT_COMPARABLE
    assert complaint in standing.reason
    assert Pair(entry(draws), entry(draws, run="s/m/1")).standing().verdict is Verdict.PASS


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline = kept(
        entry({"a": np.linspace(0, 1, 50), "b": np.ones(50)}), entry({"a": np.ones(9)}, "k")
    )
    write_baseline(path, baseline)
    assert encode(read_baseline(path)) == encode(baseline) == path.read_text()
    first = read_baseline(path).entries["s", "m"]
    assert first.table.scores["a", "p"].draws is not None
    assert first.table.scores["b", "p"].draws is None, "b is not gated"
    assert first.complete


def test_scores_have_six_decimals() -> None:
    (stored,) = json.loads(encode(kept(entry({"a": np.array([0.0, 0.0, 1.0])}))))["entries"]
    assert stored["scores"][0]["value"] == 0.333333


def test_entries_are_sorted_whatever_their_order() -> None:
    entries = [entry({"a": np.ones(3)}, model, suite) for suite in "ts" for model in "nm"]
    text = encode(kept(*entries))
    assert text == encode(kept(*reversed(entries)))
    found = [(e["suite"], e["model"]) for e in json.loads(text)["entries"]]
    assert found == [("s", "m"), ("s", "n"), ("t", "m"), ("t", "n")]


def test_a_changed_score_changes_its_own_line_and_the_end_of_the_entry() -> None:
    before = encode(kept(entry({"a": np.ones(30), "b": np.ones(30)}))).splitlines()
    after = encode(kept(entry({"a": np.full(30, 0.9), "b": np.ones(30)}))).splitlines()
    changed = [
        number for number, pair in enumerate(zip(before, after, strict=True)) if len({*pair}) > 1
    ]
    assert [re.sub(r":.*", "", before[number]).strip() for number in changed] == [
        *('{"metric"', '"digest"', '{"metric"'),
    ]
    assert '"value"' in before[changed[0]]
    assert '"draws"' in before[changed[2]]
    assert len(before) - changed[2] <= 6


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    write_baseline(path, kept(entry({"a": np.linspace(0, 1, 50)}), entry({"a": np.ones(9)}, "k")))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        read_baseline(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"value": 0.5', '"value": 0.4', "entry of m on s was changed after it was written"),
        ('"images": 9', '"images": 8', "was changed after it was written"),
        ('"draws": "eNp', '"draws": "eNq', "was changed after it was written"),
        ('"images": 9', '"images": "9"', "`entries.0.images`: input should be a valid integer"),
        ('"images": 9', '"images": 9, "x": 1', "`entries.0`: extra inputs are not permitted"),
        ('"model": "k"', '"model": "../k"', "`entries.0.model`"),
        ('"model": "k"', '"model": "m"', "entry of m on s was changed"),
        (
            '"schema_version": 1',
            '"schema_version": 2',
            "schema_version 2, this regionbench reads 1",
        ),
        ('"schema_version": 1,', "", "no schema_version; it is no baseline file"),
        ('"entries": [', '"entries": [\n<<<<<<< HEAD', "cannot be read"),
        ('"value": 0.5', '"value": NaN', "NaN is no score"),
        ('"value": 0.5', '"value": 1e999', "should be a finite number"),
        ('"value": 0.5, ', "", "`entries.1.scores.0.value`: field required"),
    ],
)
def test_a_file_that_was_changed_is_refused(
    stored: Path, old: str, new: str, complaint: str
) -> None:
    text = stored.read_text()
    assert old in text
    stored.write_text(text.replace(old, new))
    assert complaint in refusal(stored)


def test_an_entry_that_a_merge_doubled_is_refused(stored: Path) -> None:
    values = json.loads(stored.read_text())
    values["entries"] *= 2
    stored.write_text(json.dumps(values))
    assert "stands in it twice; keep one" in refusal(stored)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"schema_version": "1"}', "[" * 99_999])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    assert refusal(path)


def test_nothing_hostile_in_a_file_reaches_a_message(stored: Path) -> None:
    values = json.loads(stored.read_text())
    values["entries"][0]["\n::stop-commands::x"] = "##[stop-commands]x"
    values["entries"][1]["model"] = "\n::stop-commands::x"
    stored.write_text(json.dumps(values))
    assert "stop-commands" not in refusal(stored)


def test_a_name_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(StoreError, match="cannot be kept in a baseline file"):
        encode(kept(entry({"a": np.ones(3)}, model="a b")))


def test_an_update_says_what_changes_and_writes_stable_bytes(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    path = workplace / "baseline.json"
    answer(bench, workplace, FEW)
    assert bench("baseline", "update", "mine", "--dry-run") == 0
    assert not path.exists()
    capsys.readouterr()
    assert bench("baseline", "update", "mine") == 0
    assert re.search(r"mine on stripes +semantic_similarity .* added", capsys.readouterr().out)
    first = path.read_bytes()
    assert bench("baseline", "update") == 0
    assert "no score or speed changes" in capsys.readouterr().out
    assert path.read_bytes() == first
    forget(workplace)
    answer(bench, workplace, regions()[::2])
    capsys.readouterr()
    assert bench("baseline", "update", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert path.read_bytes() == first
    (match,) = [c for c in told["changes"] if c["name"] == "semantic_similarity"]
    assert (match["happened"], match["kind"]) == ("changed", "quality")
    assert match["difference"] == pytest.approx(match["after"] - match["before"])
    assert match["low"] < match["difference"] < match["high"] < 0
    assert re.fullmatch(r"mine on stripes: checkpoint \w{12} -> \w{12}", told["origins"][0])
    assert bench("baseline", "update") == 0
    assert re.search(r"exact_match +93\.10 +48\.28 +-44\.83 +changed", capsys.readouterr().out)


def test_other_entries_stay_unless_they_are_removed(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    for model in ("a", "b"):
        answer(bench, workplace, (), model=model)
        bench("baseline", "update", model)
    path = workplace / "baseline.json"
    assert list(read_baseline(path).entries) == [("stripes", "a"), ("stripes", "b")]
    capsys.readouterr()
    assert bench("baseline", "update", "b", "--only") == 0
    assert re.search(
        r"a on stripes +semantic_similarity +100\.00 .* removed", capsys.readouterr().out
    )
    assert list(read_baseline(path).entries) == [("stripes", "b")]


def test_scores_of_other_regions_have_no_difference(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, (), "--limit", "4")
    bench("baseline", "update", "mine")
    answer(bench, workplace, ())
    capsys.readouterr()
    assert bench("baseline", "update") == 0
    out = capsys.readouterr().out
    assert "different selections: 4 and 10 images" in out
    assert "mine on stripes: images 4 -> 10" in out


def test_two_runs_of_one_entry_are_bad_usage(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, FEW)
    answer(bench, workplace, ())
    names = [run.name for run in stored_runs(workplace / "runs")]
    assert len(names) == 2
    assert bench("baseline", "update", *names) == 2
    assert "are both runs of mine on stripes, of which the baseline keeps one" in (
        " ".join(capsys.readouterr().err.split())
    )
    assert not (workplace / "baseline.json").exists()
    assert bench("baseline", "update", names[0], f"runs/{names[0]}") == 0


def test_a_file_that_nothing_can_be_called_is_the_users_to_mend(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answer(bench, workplace, ())
    assert bench("baseline", "update", "mine", "--baseline", "x" * 5_000) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_update_needs_runs(bench: Bench, workplace: Path, capsys: Captured) -> None:
    assert bench("baseline", "update") == 3
    assert "no run was named, and the baseline has none" in capsys.readouterr().err
    assert bench("baseline", "update", "mine") == 2
    answer(bench, workplace, ())
    bench("baseline", "update", "mine")
    stored = (workplace / "baseline.json").read_bytes()
    forget(workplace)
    assert bench("baseline", "update") == 3
    assert "there is no run of mine on stripes" in capsys.readouterr().err
    assert (workplace / "baseline.json").read_bytes() == stored


def test_show_tells_what_the_file_holds(bench: Bench, workplace: Path, capsys: Captured) -> None:
    answer(bench, workplace, FEW)
    bench("baseline", "update", "mine", "--baseline", "kept.json")
    capsys.readouterr()
    assert bench("baseline", "show", "--baseline", "kept.json") == 0
    out = capsys.readouterr().out
    assert re.search(r"stripes +mine +10 +semantic_similarity +9\d\.\d\d \[", out)
    assert bench("baseline", "show", "--baseline", "kept.json", "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)["entries"]
    assert (shown["suite"], shown["model"], shown["images"]) == ("stripes", "mine", 10)
    assert bench("baseline", "show") == 2
    err = capsys.readouterr().err
    assert f"there is no baseline {workplace / 'baseline.json'}; `bench baseline update" in err
