"""A run's stored resamples, and paired differences against a plain loop over resampled images."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.config import load_config
from bench.errors import StoreError
from bench.score_tables import Drawn, ScoreTable, paired, table_of
from bench.store import StoredRun, stored_runs
from bench.stored_scores import StoredScores, current_scores
from metrics.bootstrap import resample_weights
from suites import registry
from suites.base import Score, Scores, Selection, Suite, TextEncoder
from suites.segmentation.panoptic_suite import PanopticSuite
from tests.bench.fakes import FakeEncoder, FakeSuite, load_suite, paint
from tests.bench.kinds import Bench
from tests.suites.segmentation_files import WordsEncoder

RESAMPLES = 25
Taken = Callable[[pd.DataFrame], pd.DataFrame]
Clones = Callable[[list[int]], tuple[Suite, Taken]]
Differences = dict[tuple[str, str], list[float]]


def answers_to(suite: Suite, seed: int) -> pd.DataFrame:
    """Right, wrong, empty and unanswerable answers to every region."""
    generator = np.random.default_rng(seed)
    frame = suite.references(Selection())[["region_id", "category"]].copy()
    kinds = generator.choice(
        ["right", "wrong", "empty", "unanswerable"], len(frame), p=(0.6, 0.25, 0.1, 0.05)
    )
    other = generator.permutation(frame["category"].to_numpy())
    frame["text"] = np.select(
        [kinds == "right", kinds == "wrong"], [frame["category"], other], default=""
    )
    frame["status"] = np.select(
        [np.isin(kinds, ["right", "wrong"]), kinds == "empty"],
        ["answered", "empty"],
        default="unanswerable",
    )
    return frame


def drawn_from(scores: Scores, at: int) -> Drawn:
    assert scores.draws is not None
    return Drawn(
        scores.table[at], scores.draws.values[at].astype("float64"), scores.draws.samples[at]
    )


def redrawn(frame: pd.DataFrame, image: pd.Series[str], drawn: list[str]) -> pd.DataFrame:
    """The rows of each drawn image, once per draw, under names of their own."""
    parts = []
    for number, name in enumerate(drawn):
        part = frame[image == name].copy()
        for column in part.columns.intersection(["region_id", "image_id"]):
            part[column] = f"{number}:" + part[column]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def by_loop(
    answers: list[pd.DataFrame], clones: Clones, images: int, encoder: TextEncoder
) -> Differences:
    """Both runs scored anew on every resampled set of images, an image drawn twice being two."""
    found: Differences = {}
    for weights in resample_weights(images, RESAMPLES, 0):
        suite, taken = clones([at for at, times in enumerate(weights) for _ in range(int(times))])
        one, other = (
            suite.score(taken(frame), encoder, selection=Selection(), resamples=1)
            for frame in answers
        )
        for a, b in zip(one.table, other.table, strict=True):
            lacking = a.value is None or b.value is None
            difference = np.nan if lacking else (b.value or 0.0) - (a.value or 0.0)
            found.setdefault((a.metric, a.protocol), []).append(difference)
    return found


def agrees_with_the_loop(first: Scores, second: Scores, expected: Differences) -> int:
    """How many scores were checked."""
    checked = 0
    for at, score in enumerate(first.table):
        one, other = drawn_from(first, at), drawn_from(second, at)
        if one.sample != other.sample:
            continue
        found = paired(one, other)
        differences = np.array(expected[score.metric, score.protocol])
        differences = differences[~np.isnan(differences)]
        low, high = np.percentile(differences, [2.5, 97.5])
        assert (found.low, found.high) == pytest.approx((low, high), abs=2e-6), score.metric
        smaller = min((differences <= 1e-7).sum(), (differences >= -1e-7).sum())
        assert found.p == pytest.approx(min(1.0, 2 * (smaller + 1) / (len(differences) + 1)))
        checked += 1
    return checked


class Redrawn(FakeSuite):
    """The fake suite's images, some of them several times under names of their own."""

    def __init__(self, root: Path, drawn: list[int]) -> None:
        super().__init__(root, 10)
        self._drawn = [f"{at:04d}" for at in drawn]

    def references(self, selection: Selection) -> pd.DataFrame:
        whole = super().references(selection)
        return redrawn(whole, whole["image_id"], self._drawn)


def test_free_text_scores_pair_like_a_loop_over_resampled_images(tmp_path: Path) -> None:
    paint(tmp_path, 10)
    suite = FakeSuite(tmp_path, 10)
    answers = [answers_to(suite, seed) for seed in (1, 2)]
    image = suite.references(Selection()).set_index("region_id")["image_id"]

    def clones(drawn: list[int]) -> tuple[Suite, Taken]:
        images = [f"{at:04d}" for at in drawn]
        taken = lambda frame: redrawn(frame, frame["region_id"].map(image), images)  # noqa: E731
        return Redrawn(tmp_path, drawn), taken

    scores = [
        suite.score(frame, FakeEncoder(), selection=Selection(), resamples=RESAMPLES)
        for frame in answers
    ]
    assert (
        agrees_with_the_loop(scores[0], scores[1], by_loop(answers, clones, 10, FakeEncoder()))
        >= 12
    )


class RedrawnPanoptic(PanopticSuite):
    """A panoptic suite's images, some of them several times under names of their own."""

    def __init__(self, suite: PanopticSuite, drawn: list[int]) -> None:
        super().__init__(suite.card, suite.index, suite._tables, suite._pictures, suite.names)
        self._drawn = drawn
        self._tables = copy.copy(suite._tables)
        self._tables._rows = suite._tables._rows.take(drawn)

    def __len__(self) -> int:
        return len(self._drawn)

    def references(self, selection: Selection) -> pd.DataFrame:
        whole = self.index.regions(len(self.index))
        names = list(whole["image_id"].unique())
        return redrawn(whole, whole["image_id"], [names[at] for at in self._drawn])


def test_panoptic_scores_pair_like_a_loop_over_resampled_images(tmp_path: Path) -> None:
    suite = registry.entry("shapes-panoptic").load(cache=tmp_path, images=8)
    assert isinstance(suite, PanopticSuite)
    answers = [answers_to(suite, seed) for seed in (1, 2)]
    whole = suite.references(Selection())
    image = whole.set_index("region_id")["image_id"]
    names = list(whole["image_id"].unique())
    assert len(names) == len(suite) == 8

    def clones(drawn: list[int]) -> tuple[Suite, Taken]:
        images = [names[at] for at in drawn]
        taken = lambda frame: redrawn(frame, frame["region_id"].map(image), images)  # noqa: E731
        return RedrawnPanoptic(suite, drawn), taken

    scores = [
        suite.score(frame, WordsEncoder(), selection=Selection(), resamples=RESAMPLES)
        for frame in answers
    ]
    main = paired(drawn_from(scores[0], 0), drawn_from(scores[1], 0))
    assert main.metric == "pq"
    assert 0.2 < (main.first.value or 0) < 0.9
    assert {score.metric for score in scores[0].table} >= {"pq", "pq[things]", "rq[stuff]", "miou"}
    checked = agrees_with_the_loop(
        scores[0], scores[1], by_loop(answers, clones, 8, WordsEncoder())
    )
    assert checked == len(scores[0].table) == 11


@pytest.fixture
def run(bench: Bench, workplace: Path) -> StoredRun:
    """A stored run of the fake model."""
    assert bench("run", "--model", "one", "--no-report") == 0
    (run,) = stored_runs(load_config().runs)
    return run


def table(run: StoredRun) -> ScoreTable:
    manifest = run.manifest()
    found = current_scores(run, manifest)
    assert found is not None
    return table_of(manifest, *found)


def stored(run: StoredRun) -> StoredScores:
    found = current_scores(run, run.manifest())
    assert found is not None
    return found[1]


def test_resamples_survive_being_stored(run: StoredRun, workplace: Path) -> None:
    suite = load_suite(cache=workplace, root=str(workplace / "pictures"))
    answers = run.answers(("region_id", "text", "status"))
    scores = suite.score(answers, FakeEncoder(), selection=Selection())
    found = table(run)
    assert scores.draws is not None
    for at, score in enumerate(scores.table):
        kept = found.scores[score.metric, score.protocol]
        assert kept.score == score
        assert kept.draws is not None
        np.testing.assert_array_equal(kept.draws, scores.draws.values[at].astype("float64"))
        assert kept.sample == scores.draws.samples[at]
        low, high = np.percentile(kept.draws, [2.5, 97.5])
        assert (score.low, score.high) == pytest.approx((low, high), abs=1e-6)
    assert found.main == found.scores["semantic_similarity", "wowseg-v1"]


def test_the_main_score_s_resamples_are_read_alone(run: StoredRun) -> None:
    whole = stored(run).draws()
    main = stored(run).main_draws()
    assert whole is not None
    assert main is not None
    np.testing.assert_array_equal(main[0], whole.values[0])
    assert main[1] == whole.samples[0]


DAMAGED_HEADERS = {
    "no closing brace": (b"}", b" "),
    "many opened": (b"{'descr'", b"(((((((("),
    "indented": (b"{'descr': ", b" 1\n    2\n "),
    "another version": (b"NUMPY\x01", b"NUMPY\x09"),
    "a shape that is none": (b"(", b"-"),
}


@pytest.mark.parametrize(
    "damage", ["cut off", "gone", "text", "fewer rows", "other numbers", *DAMAGED_HEADERS]
)
def test_damaged_resamples_are_an_error_that_names_them(run: StoredRun, damage: str) -> None:
    path = stored(run).folder / "draws.npy"
    whole = np.load(path)
    if damage == "cut off":
        path.write_bytes(path.read_bytes()[:-4])
    elif damage == "gone":
        path.unlink()
    elif damage == "text":
        path.write_text("hello")
    elif damage in DAMAGED_HEADERS:
        written = path.read_bytes()
        damaged = written.replace(*DAMAGED_HEADERS[damage], 1)
        assert damaged != written
        path.write_bytes(damaged)
    else:
        np.save(path, whole[1:] if damage == "fewer rows" else whole.astype("int32"))
    for read in (lambda: table(run), stored(run).draws, stored(run).main_draws):
        with pytest.raises(StoreError, match=r"draws\.npy .*`bench score` writes it anew"):
            read()


def test_resamples_that_begin_like_whole_ones_are_found_damaged(
    run: StoredRun, tmp_path: Path
) -> None:
    whole = stored(run)
    cut = replace(whole, folder=tmp_path)
    (tmp_path / "draws.npy").write_bytes((whole.folder / "draws.npy").read_bytes()[:-4])
    assert whole.main_draws() is not None
    for read in (cut.draws, cut.main_draws):
        with pytest.raises(StoreError, match="ends early"):
            read()


def test_a_scoring_from_before_resamples_were_kept_has_none(run: StoredRun) -> None:
    summary = stored(run).folder / "scores.json"
    values = json.loads(summary.read_text())
    del values["samples"]
    summary.write_text(json.dumps(values))
    summary.with_name("draws.npy").unlink()
    assert stored(run).draws() is None
    assert stored(run).main_draws() is None
    assert {drawn.draws for drawn in table(run).scores.values()} == {None}
    pair = paired(*(table(run).scores["semantic_iou", "wowseg-v1"] for _ in range(2)))
    assert (pair.difference, pair.low, pair.high, pair.p) == (0.0, None, None, None)


def test_resamples_of_another_seed_or_way_to_draw_do_not_pair(
    workplace: Path, run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = load_suite(cache=workplace, root=str(workplace / "pictures"))
    answers = run.answers(("region_id", "text", "status"))

    def main(seed: int) -> Drawn:
        scores = suite.score(answers, FakeEncoder(), selection=Selection(), seed=seed)
        return drawn_from(scores, 0)

    first = main(0)
    assert first.pairs_with(main(0))
    assert not first.pairs_with(main(1))
    assert paired(first, main(1)).low is None
    monkeypatch.setattr("suites.protocols.resampled.DRAWING", 0)
    assert not first.pairs_with(main(0))


def drawn(value: float | None, draws: list[float] | None, sample: str = "images") -> Drawn:
    values = None if draws is None else np.array(draws)
    return Drawn(Score("m", "p", value, None, None, 1), values, sample)


def test_scores_of_other_images_or_other_resamples_have_no_interval() -> None:
    one = drawn(0.5, [0.5, 0.6])
    assert paired(one, drawn(0.75, [0.7, 0.8])).low == pytest.approx(0.2)
    for other in (
        drawn(0.75, [0.7, 0.8], "others"),
        drawn(0.75, [0.7, 0.8, 0.9]),
        drawn(0.75, None),
    ):
        assert paired(one, other)[4:] == (0.25, None, None, None)
    assert paired(one, drawn(None, [0.7, 0.8]))[4:] == (None, None, None, None)


def test_runs_of_other_sets_protocols_or_encoders_are_unlike(run: StoredRun) -> None:
    one = table(run)
    assert one.unlike(one) == ""
    for other, words in (
        (replace(one, suite="another"), "suites: fakes and another"),
        (replace(one, suite_version="2"), "suite versions: 1 and 2"),
        (replace(one, suite_digest="cd" * 32), "annotations (suite digests): "),
        (replace(one, protocol="another"), "protocols: wowseg-v1 and another"),
        (replace(one, encoder_digest="cd" * 32), "sentence encoders: abababababab and cdcdcd"),
    ):
        assert one.unlike(other).startswith(f"different {words}")
        assert other.unlike(one)
