"""`bench compare`, end to end."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.store import stored_runs
from bench.stored_scores import StoredScores, current_scores
from metrics.bootstrap import paired_difference
from suites import registry
from suites.base import Selection
from tests.bench.fakes import FakeSuite
from tests.bench.kinds import Bench
from tests.suites.segmentation_files import WordsEncoder

Captured = pytest.CaptureFixture[str]
Answered = Callable[..., Path]
MAIN = "semantic_similarity/wowseg-v1"
YAML = """\
schema_version: 1
models:
  one: {adapter: fake, checkpoint: first}
  two: {adapter: fake, checkpoint: second, settings: {tone: "big "}}
  breaks: {adapter: fake, checkpoint: third, settings: {fails_on: "0003"}}
suites:
  dots: {kind: fakes, root: pictures, images: 4}
  stripes: {kind: fakes, root: pictures, images: 10}
mlflow: {enabled: false}
"""


@pytest.fixture
def answered(bench: Bench, workplace: Path) -> Answered:
    """Store a run of a model on the ten stripes; regions not named are answered rightly."""
    (workplace / "bench.yaml").write_text(YAML)

    def store(model: str, wrong: Mapping[str, str], *words: str) -> Path:
        suite = FakeSuite(workplace / "pictures", 10)
        rows = [
            {"region_id": region, "text": wrong.get(region, label)}
            for record in map(suite.record, range(10))
            for region, label in zip(record.region_ids, record.labels, strict=True)
        ]
        path = workplace / f"{model}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        words = ("--suite", "stripes", "--model", model, "--no-report", "--no-mlflow", *words)
        assert bench("import", path, *words) in (0, 3)
        return workplace / "runs" / "stripes" / model

    return store


@pytest.fixture
def ab(answered: Answered) -> None:
    """A is wrong about two regions, B about one of them in other words, and about three others."""
    answered("a", {"0000/0": "moon", "0001/0": "sun"})
    answered("b", {"0000/0": "star", "0002/0": "sun", "0002/1": "sun", "0005/3": "sun"})


def compared(bench: Bench, capsys: Captured, *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert bench("compare", *words, "--json") == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def only(found: dict[str, Any]) -> dict[str, Any]:
    (comparison,) = found["comparisons"]
    assert found["not_compared"] == []
    return dict(comparison)


def metric(comparison: dict[str, Any], name: str, protocol: str = "wowseg-v1") -> dict[str, Any]:
    (row,) = [
        row for row in comparison["metrics"] if (row["metric"], row["protocol"]) == (name, protocol)
    ]
    return dict(row)


def stored(workplace: Path, model: str) -> StoredScores:
    (run,) = [r for r in stored_runs(workplace / "runs") if r.name.startswith(f"stripes/{model}/")]
    found = current_scores(run, run.manifest())
    assert found is not None
    return found[1]


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


def test_parts_of_different_size_are_compared_over_the_regions_they_share(
    bench: Bench, answered: Answered, workplace: Path, capsys: Captured
) -> None:
    answered("a", {"0001/0": "sun"}, "--limit", "4")
    answered("b", {"0002/0": "sun", "0009/0": "sun"})
    comparison = only(compared(bench, capsys, "a", "b"))
    main = metric(comparison, "semantic_similarity")
    assert (main["basis"], main["regions"]) == ("regions", 11)
    frames = [stored(workplace, model).regions().set_index("region_id") for model in "ab"]
    shared = frames[0].index
    assert len(shared) == 11
    one, other = (frame.loc[shared, MAIN] for frame in frames)
    oracle = paired_difference(other.to_numpy(), one.to_numpy(), frames[0]["image_id"].to_numpy())
    assert [main[key] for key in ("difference", "low", "high", "p")] == pytest.approx(oracle[:4])
    assert (main["first"], main["second"]) == pytest.approx((one.mean(), other.mean()))
    macro = metric(comparison, "semantic_similarity[macro]")
    by_category = [c.groupby(frames[0]["category"]).mean().mean() for c in (one, other)]
    assert (macro["first"], macro["second"]) == pytest.approx(tuple(by_category))
    assert macro["difference"] == pytest.approx(by_category[1] - by_category[0])
    assert (comparison["regions"]["compared"], comparison["regions"]["total"]) == (11, 29)
    assert any("cover 4 and 10 of 10 images" in note for note in comparison["notes"])


def test_means_over_some_categories_say_that_they_are_such(
    bench: Bench, answered: Answered, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = FakeSuite.references
    monkeypatch.setattr(
        "regionbench_fakes.FakeSuite.references",
        lambda suite, selection: references(suite, selection).assign(frequency="r"),
    )
    answered("a", {"0001/0": "sun"}, "--limit", "4")
    answered("b", {"0002/0": "sun", "0009/0": "sun"})
    comparison = only(compared(bench, capsys, "a", "b"))
    note = metric(comparison, "semantic_similarity[rare]")["note"]
    assert note == "a mean over rare categories alone, and the runs cover different regions"
    assert metric(comparison, "semantic_similarity[macro]")["basis"] == "regions"


def test_resamples_drawn_otherwise_are_compared_by_regions(
    bench: Bench, answered: Answered, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered("a", {"0001/0": "sun"})
    monkeypatch.setattr("suites.protocols.resampled.DRAWING", 0)
    answered("b", {"0002/0": "sun", "0009/0": "sun"})
    comparison = only(compared(bench, capsys, "a", "b"))
    main = metric(comparison, "semantic_similarity")
    assert (main["basis"], main["regions"]) == ("regions", None)


def test_an_incomplete_run_is_compared_where_it_has_answers_and_is_no_success(
    bench: Bench, answered: Answered, capsys: Captured
) -> None:
    answered("a", {"0001/0": "sun"})
    assert bench("run", "--model", "breaks", "--suite", "stripes", "--no-report") == 3
    found = compared(bench, capsys, "a", "breaks", code=3)
    comparison = only(found)
    assert not comparison["complete"]
    main = metric(comparison, "semantic_similarity")
    assert (main["basis"], main["regions"]) == ("regions", 27)
    assert any("is incomplete: 2 regions errored" in note for note in comparison["notes"])
    assert (comparison["regions"]["compared"], comparison["regions"]["total"]) == (27, 29)


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


def test_a_scoring_from_before_resamples_is_compared_by_its_regions(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    folder = stored(workplace, "a").folder
    edit(folder / "scores.json", lambda values: values.pop("samples"))
    (folder / "draws.npy").unlink()
    comparison = only(compared(bench, capsys, "a", "b"))
    main = metric(comparison, "semantic_similarity")
    assert (main["basis"], main["regions"]) == ("regions", None)
    assert main["low"] < main["difference"] < main["high"]
    assert any("was scored before resamples were kept" in note for note in comparison["notes"])


def test_other_numbers_of_resamples_are_told(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    assert bench("score", "stripes/a", "--resamples", "50", "--no-report", "--no-mlflow") == 0
    comparison = only(compared(bench, capsys, "a", "b"))
    assert any("50 and 1,000 resamples" in note for note in comparison["notes"])
    assert metric(comparison, "semantic_similarity")["basis"] == "regions"


def test_damaged_resamples_are_named(
    bench: Bench, ab: None, workplace: Path, capfd: Captured
) -> None:
    path = stored(workplace, "a").folder / "draws.npy"
    path.write_bytes(path.read_bytes()[:300])
    assert bench("compare", "a", "b") == 2
    shown = capfd.readouterr().err
    assert str(path) in shown
    assert "`bench score` writes it anew" in shown


def lacking(name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.drop(columns=name)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("regions", lacking("category"), "has no column category"),
        ("regions", lacking("text"), "has no column text"),
        ("regions", lambda f: pd.concat([f, f[:1]]), "has two rows of one region"),
        ("regions", lambda f: f.assign(category=[None, *f["category"][1:]]), "has rows without"),
        ("regions", lambda f: f.assign(image_id=[None, *f["image_id"][1:]]), "has rows without"),
        ("categories", lacking("protocol"), "has no column protocol"),
        ("categories", lambda f: f.assign(metric=None), "has rows without metric"),
        ("categories", lambda f: f.assign(value="x"), "has values that are no numbers"),
    ],
)
def test_a_readable_frame_that_is_none_of_ours_is_named(
    bench: Bench,
    ab: None,
    workplace: Path,
    capfd: Captured,
    file: str,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    message: str,
) -> None:
    path = stored(workplace, "b").folder / f"{file}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    assert bench("compare", "a", "b") == 2
    assert f"{path} {message}" in capfd.readouterr().err


def test_a_column_that_holds_numbers_in_one_run_alone_is_no_score(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    folder = stored(workplace, "b").folder
    edit(folder / "scores.json", lambda values: values.pop("samples"))
    frame = pd.read_parquet(folder / "regions.parquet")
    frame = frame.assign(**{"exact_match/wowseg-v1": "x"})
    frame.to_parquet(folder / "regions.parquet", index=False)
    comparison = only(compared(bench, capsys, "a", "b"))
    assert metric(comparison, "exact_match")["basis"] == "scores"
    assert metric(comparison, "semantic_iou")["basis"] == "regions"


def test_a_page_goes_when_one_of_its_runs_is_scored_anew(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    assert bench("report") == 0
    page = Path(only(compared(bench, capsys, "a", "b"))["page"])
    assert bench("report") == 0
    assert page.is_file()
    linking = [
        p for p in (workplace / "site" / "runs").rglob("*.html") if page.name in p.read_text()
    ]
    assert {p.parent.name for p in linking} == {"a", "b"}
    assert bench("score", "stripes/b", "--resamples", "50", "--no-report", "--no-mlflow") == 0
    assert bench("report") == 0
    assert not page.exists()
    assert not [p for p in linking if page.name in p.read_text()]


def test_the_page_lies_in_the_site_and_survives_the_next_report(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    page = Path(only(compared(bench, capsys, "a", "b"))["page"])
    assert page.parent == workplace / "site" / "compare"
    beside = sorted(path.name.removeprefix(page.stem) for path in page.parent.iterdir())
    assert beside == [
        *(".categories.csv", ".html", ".json", ".metrics.csv", ".regions.csv", ".runs.json")
    ]
    first = page.read_text()
    assert "runs/stripes/a/" not in first
    assert bench("report") == 0
    assert page.read_text() == first
    compared(bench, capsys, "a", "b")
    linked = page.read_text()
    assert 'href="../runs/stripes/a/' in linked
    assert 'href="../index.html"' in linked
    compared(bench, capsys, "a", "b")
    assert page.read_text() == linked
    with page.with_name(f"{page.stem}.metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    written = json.loads(page.with_name(f"{page.stem}.json").read_text())
    assert written["regions"]["compared"] == 29


def test_comparisons_of_other_runs_stay(
    bench: Bench, ab: None, answered: Answered, capsys: Captured
) -> None:
    answered("a.b", {})
    pages = [
        Path(only(compared(bench, capsys, *pair))["page"])
        for pair in (("a", "b"), ("a", "a.b"), ("b", "a.b"))
    ]
    assert all(page.is_file() for page in pages)
    assert len(set(pages)) == 3


def test_no_page_writes_none(bench: Bench, ab: None, workplace: Path, capsys: Captured) -> None:
    assert only(compared(bench, capsys, "a", "b", "--no-page"))["page"] is None
    assert not (workplace / "site").exists()


def test_set_level_scores_are_compared_by_resamples_or_not_at_all(
    bench: Bench, workplace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Panoptic quality is no mean over regions: only equal selections can be compared."""

    class Encoder(WordsEncoder):
        name, revision, source = "words", None, "folder"

    monkeypatch.setattr("metrics.encoder.SentenceEncoder.load", lambda *a, **k: Encoder())
    (workplace / "bench.yaml").write_text(YAML)
    words = ("--suite", "shapes-panoptic", "--option", "images=12", "--no-report", "--no-mlflow")
    suite = registry.entry("shapes-panoptic").load(cache=workplace / ".regionbench", images=12)
    regions = suite.references(Selection()).to_dict("records")
    random = np.random.default_rng(0)
    for model, share in (("good", 0.0), ("poor", 0.6)):
        rows = [
            {
                "region_id": region["region_id"],
                "text": "red star" if random.random() < share else region["category"],
            }
            for region in regions
        ]
        path = workplace / f"{model}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        assert bench("import", path, "--model", model, *words) == 0
    comparison = only(compared(bench, capsys, "good", "poor"))
    pq = metric(comparison, "pq", "gtmask-osprey-v1")
    assert pq["basis"] == "resamples", pq
    assert pq["low"] < pq["difference"], pq
    assert pq["verdict"] == "worse", pq
    assert comparison["regions"]["metric"] == "segment_accuracy"
    assert comparison["own_metrics"] == ["iou", "pq", "rq", "sq"]
    row = max(comparison["categories"], key=lambda row: row["regions"])
    assert set(row["own"]) == {"iou", "pq", "rq", "sq"}
    assert row["own"]["pq"]["first"] == 1.0
    part = workplace / "part.jsonl"
    part.write_text("".join(f"{json.dumps(r)}\n" for r in rows))
    assert bench("import", part, "--model", "part", *words, "--limit", "6") in (0, 3)
    comparison = only(compared(bench, capsys, "good", "part"))
    pq = metric(comparison, "pq", "gtmask-osprey-v1")
    assert (pq["basis"], pq["difference"], pq["low"]) == ("none", None, None)
    assert pq["note"] == "not a mean over regions, and the runs cover different ones"
    things = metric(comparison, "pq[things]", "gtmask-osprey-v1")
    assert things["note"] == pq["note"]
    accuracy = metric(comparison, "segment_accuracy", "gtmask-osprey-v1")
    assert accuracy["basis"] == "regions"
    assert 0 < accuracy["regions"] < len(regions)
    assert comparison["own_metrics"] == []


def edit(path: Path, change: Callable[[Any], object]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


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
