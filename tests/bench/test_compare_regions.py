"""`bench compare` where runs cover different regions, or have no resamples in common."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from metrics.bootstrap import paired_difference
from suites import registry
from suites.base import Selection
from tests.bench.compared_runs import (
    MAIN,
    YAML,
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
from tests.bench.fakes import FakeSuite
from tests.bench.kinds import Bench
from tests.suites.segmentation_files import WordsEncoder

__all__ = ["ab", "answered"]


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
    (note,) = (note for note in comparison["notes"] if "is incomplete: 2 regions errored" in note)
    assert note.endswith("`bench run --model breaks --suite stripes` goes on with it")
    assert (comparison["regions"]["compared"], comparison["regions"]["total"]) == (27, 29)


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
