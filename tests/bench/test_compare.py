"""`bench compare`, end to end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store import stored_runs
from metrics.bootstrap import paired_difference
from tests.bench.compared_runs import (
    MAIN,
    Answered,
    Captured,
    ab,
    answered,
    compared,
    edit,
    metric,
    only,
    stored,
)
from tests.bench.kinds import Bench

__all__ = ["ab", "answered"]


def test_every_score_has_its_paired_difference(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    comparison = only(compared(bench, capsys, "a", "b"))
    one, other = stored(workplace, "a"), stored(workplace, "b")
    assert [(r["metric"], r["protocol"]) for r in comparison["metrics"]] == [
        (score.metric, score.protocol) for score in one.table
    ]
    for row, first, second in zip(comparison["metrics"], one.table, other.table, strict=True):
        assert first.value is not None
        assert second.value is not None
        assert (row["first"], row["second"]) == (first.value, second.value)
        assert row["difference"] == pytest.approx(second.value - first.value)
        assert row["low"] < row["difference"] < row["high"]
        assert row["basis"] == "resamples"
    frames = one.regions(), other.regions()
    oracle = paired_difference(
        frames[1][MAIN].to_numpy(), frames[0][MAIN].to_numpy(), frames[0]["image_id"].to_numpy()
    )
    main = metric(comparison, "semantic_similarity")
    assert [main[key] for key in ("difference", "low", "high", "p")] == pytest.approx(
        oracle[:4], abs=1e-6
    )
    assert main["verdict"] == "undecided"


def test_the_other_way_round_every_difference_turns(
    bench: Bench, ab: None, capsys: Captured
) -> None:
    there = only(compared(bench, capsys, "a", "b"))
    back = only(compared(bench, capsys, "b", "a"))
    for one, other in zip(there["metrics"], back["metrics"], strict=True):
        assert other["difference"] == -one["difference"]
        assert (other["low"], other["high"]) == pytest.approx((-one["high"], -one["low"]))
    assert there["regions"]["won"][0]["region_id"] == back["regions"]["lost"][0]["region_id"]


def test_regions_are_won_lost_and_alike_with_what_both_said(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    regions = only(compared(bench, capsys, "a", "b"))["regions"]
    frame = stored(workplace, "b").regions().set_index("region_id")
    # One region is wrong in both, in other words: whoever is nearer wins it.
    nearer = frame.loc["0000/0", MAIN] > stored(workplace, "a").regions()[MAIN][0]
    assert {row["region_id"] for row in regions["won"]} == {"0001/0"} | (
        {"0000/0"} if nearer else set()
    )
    assert {row["region_id"] for row in regions["lost"]} >= {"0002/0", "0002/1", "0005/3"}
    assert len(regions["won"]) + len(regions["lost"]) + regions["tied"] == 29
    assert (regions["compared"], regions["total"]) == (29, 29)
    (won,) = [row for row in regions["won"] if row["region_id"] == "0001/0"]
    assert (won["first_text"], won["second_text"], won["reference"]) == (
        "sun",
        frame.loc["0001/0", "category"],
        frame.loc["0001/0", "reference"],
    )
    for rows in (regions["won"], regions["lost"]):
        sizes = [abs(row["difference"]) for row in rows]
        assert sizes == sorted(sizes, reverse=True)


def test_categories_add_up_and_are_corrected_for_their_number(
    bench: Bench, ab: None, capsys: Captured
) -> None:
    comparison = only(compared(bench, capsys, "a", "b"))
    rows = comparison["categories"]
    assert sum(row["regions"] for row in rows) == 29
    overall = sum(row["difference"] * row["regions"] for row in rows) / 29
    assert overall == pytest.approx(metric(comparison, "semantic_similarity")["difference"])
    assert all(row["p"] <= row["adjusted_p"] <= 1 for row in rows)
    assert [row["p"] for row in rows] == sorted(row["p"] for row in rows)
    assert not any(row["significant"] for row in rows)


def test_a_model_that_is_wrong_everywhere_is_worse_in_every_category(
    bench: Bench, answered: Answered, capsys: Captured
) -> None:
    answered("right", {})
    answered("wrong", {f"{i:04d}/{n}": "moon" for i in range(10) for n in range(4)})
    comparison = only(compared(bench, capsys, "right", "wrong"))
    assert metric(comparison, "exact_match")["verdict"] == "worse"
    assert metric(comparison, "exact_match") | {"note": ""} == {
        "metric": "exact_match",
        "protocol": "wowseg-v1",
        "first": 1.0,
        "second": 0.0,
        "difference": -1.0,
        "low": -1.0,
        "high": -1.0,
        "p": pytest.approx(2 / 1001),
        "basis": "resamples",
        "higher_is_better": True,
        "regions": None,
        "note": "",
        "verdict": "worse",
    }
    for row in comparison["categories"]:
        # However large the difference, fewer than six images never suffice.
        assert row["significant"] <= (row["images"] >= 6)
    assert len(comparison["regions"]["lost"]) == 29


def test_the_terminal_shows_it_in_words(bench: Bench, ab: None, capsys: Captured) -> None:
    assert bench("compare", "a", "b", "--categories", "2", "--no-page") == 0
    out = capsys.readouterr().out
    assert "A  a\nB  b\non fakes 1; differences are B − A, ×100" in out
    assert "semantic_iou[macro]" in out
    assert "regions by semantic_similarity: B won" in out
    assert "of 29 compared (29 in all)" in out
    assert "the surest 2 of 5 categories" in out
    assert "0 of 5 categories differ when all are looked at (Benjamini–Hochberg" in out
    assert "no speed of a was measured; `bench efficiency` does that" in out


def test_two_runs_of_one_model_are_told_apart(
    bench: Bench, answered: Answered, capsys: Captured
) -> None:
    folder = answered("a", {})
    (run,) = folder.iterdir()
    shutil.copytree(run, folder / "other")
    assert bench("compare", "stripes/a/other", f"stripes/a/{run.name}", "--no-page") == 0
    assert f"A  stripes/a/other\nB  stripes/a/{run.name}" in capsys.readouterr().out


def test_every_suite_both_models_ran_is_compared(
    bench: Bench, answered: Answered, capsys: Captured
) -> None:
    assert bench("run", "--model", "one", "--model", "two", "--no-report") == 0
    answered("alone", {})
    found = compared(bench, capsys, "one", "two")
    assert [c["first"]["run"].split("/")[0] for c in found["comparisons"]] == ["dots", "stripes"]
    found = compared(bench, capsys, "one", "two", "--suite", "dots")
    assert [c["first"]["run"].split("/")[0] for c in found["comparisons"]] == ["dots"]
    found = compared(bench, capsys, "one", "alone")
    assert [c["first"]["run"].split("/")[0] for c in found["comparisons"]] == ["stripes"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "a"), r"both sides are stripes/a/\w+; name two runs"),
        (("a", "bb"), r"is called 'bb'; did you mean 'b'\?"),
        (("a", "b", "--suite", "strips"), r"--suite strips: .* did you mean 'stripes'\?"),
    ],
)
def test_what_cannot_be_meant_is_bad_usage(
    bench: Bench, ab: None, capfd: Captured, words: tuple[str, ...], message: str
) -> None:
    assert bench("compare", *words) == 2
    assert re.search(message, capfd.readouterr().err)


def test_scores_that_do_not_compare_are_not_compared(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    (run,) = (r for r in stored_runs(workplace / "runs") if "/b/" in r.name)
    edit(run.manifest_path, lambda values: values["suite"].update(version="2"))
    found = compared(bench, capsys, "a", "b", code=3)
    assert found["comparisons"] == []
    assert "different suite versions: 1 and 2" in found["not_compared"][0]


def test_a_run_that_is_not_scored_is_said_to_be(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    (run,) = (r for r in stored_runs(workplace / "runs") if "/b/" in r.name)
    shutil.rmtree(run.scores_folder)
    found = compared(bench, capsys, "a", "b", code=3)
    assert f"`bench score {run.name}` does that" in found["not_compared"][0]


def test_models_without_a_suite_in_common_compare_nothing(
    bench: Bench, answered: Answered, capsys: Captured
) -> None:
    answered("a", {})
    bench("run", "--model", "one", "--suite", "dots", "--no-report")
    bench("run", "--model", "two", "--no-report")
    shutil.rmtree(Path("runs/stripes/two"))
    (Path("runs/dots/a")).mkdir()
    shutil.copytree(next(Path("runs/dots/one").iterdir()), "runs/other/a/x")
    found = compared(bench, capsys, "a", "two", code=3)
    assert "have no suite in common" in found["not_compared"][0]


def test_comparing_loads_no_framework(
    ab: None, workplace: Path, third_party: Path, repository: Path
) -> None:
    script = (
        "import sys; from bench import cli; code = cli.run(['compare', 'a', 'b']); "
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'mlflow', 'altair'}; "
        "print(code, sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=workplace,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(repository), str(third_party)))},
    )
    assert done.stdout.splitlines()[-1] == "0 []"
