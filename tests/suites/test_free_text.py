"""The free-text protocol counts every region, refuses bad answers, and repeats itself exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from adapters.interface import Status
from metrics.bootstrap import bootstrap_draws, interval_of
from suites.base import Counts, Score, Scores, SuiteError
from suites.free_text_metrics import FREE_TEXT_METRICS, MAIN_METRIC, PROTOCOL
from suites.protocols.free_text import score_free_text


class LetterEncoder:
    """Embeds a text by how often it has each letter; the empty text points its own way."""

    digest = "letters"

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), 27), dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text.lower():
                if "a" <= letter <= "z":
                    vectors[row, ord(letter) - ord("a")] += 1
            if not vectors[row].any():
                vectors[row, 26] = 1
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths


def references(**columns: list[Any]) -> pd.DataFrame:
    count = len(columns["category"])
    base = {
        "region_id": [f"r{row}" for row in range(count)],
        "image_id": [f"i{row // 2}" for row in range(count)],
    }
    return pd.DataFrame({**base, **columns})


def answers(*rows: tuple[str, str | None, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["region_id", "text", "status"])


def score(given: pd.DataFrame, answered: pd.DataFrame, **options: Any) -> Scores:
    return score_free_text(given, answered, LetterEncoder(), **{"resamples": 20, **options})


def value(scores: Scores, metric: str, protocol: str = PROTOCOL) -> Score:
    (found,) = [s for s in scores.table if (s.metric, s.protocol) == (metric, protocol)]
    return found


FIVE = references(category=["dog", "cat", "dog", "red_car", "bus"])
EVERY_ENDING = answers(
    ("r0", "dog", "answered"),
    ("r1", "", "empty"),
    ("r2", "", "unanswerable"),
    ("r3", None, "errored"),
)


def test_every_region_ends_in_one_count() -> None:
    counts = score(FIVE, EVERY_ENDING).counts
    assert counts == Counts(expected=5, answered=1, empty=1, unanswerable=1, errored=1, missing=1)
    assert not counts.complete


def test_unanswerable_regions_score_zero_and_stay_in_the_denominator() -> None:
    scores = score(FIVE, EVERY_ENDING)
    iou = value(scores, "semantic_iou")
    assert iou.value == pytest.approx(1 / 3)
    assert iou.count == 3
    rows = scores.regions.set_index("region_id")
    assert rows.loc["r2", "semantic_similarity/wowseg-v1"] == 0
    assert rows.loc["r2", "semantic_iou/osprey-v1"] == 0


def test_the_scripts_own_denominator_leaves_them_out() -> None:
    scores = score(FIVE, EVERY_ENDING)
    iou = value(scores, "semantic_iou", "wowseg-script-v1")
    assert iou.value == pytest.approx(1 / 2)
    assert iou.count == 2
    column = scores.regions["semantic_iou/wowseg-script-v1"]
    assert column.isna().tolist() == [False, False, True, True, True]
    reported = {s.metric for s in scores.table if s.protocol == "wowseg-script-v1"}
    assert reported == {"semantic_similarity", "semantic_iou"}


def test_an_empty_answer_scores_as_the_empty_string() -> None:
    rows = score(FIVE, EVERY_ENDING).regions.set_index("region_id")
    empty, cat = LetterEncoder().encode(["", "cat"])
    assert rows.loc["r1", "semantic_similarity/wowseg-v1"] == pytest.approx(empty @ cat)
    assert rows.loc["r1", "semantic_iou/wowseg-v1"] == 0


def test_errored_and_missing_regions_have_no_value() -> None:
    regions = score(FIVE, EVERY_ENDING).regions
    unfinished = regions[regions["status"].isin(["errored", "missing"])]
    assert unfinished["region_id"].tolist() == ["r3", "r4"]
    assert unfinished.filter(like="/").isna().all(axis=None)


def test_a_run_is_complete_when_every_region_has_a_final_answer() -> None:
    rows = [("r0", "a", "answered"), ("r1", "", "empty"), ("r2", "", "unanswerable")]
    assert score(FIVE.iloc[:3], answers(*rows)).counts.complete


def test_without_any_answer_there_is_no_value() -> None:
    scores = score(FIVE, EVERY_ENDING.iloc[:0])
    assert scores.counts.missing == 5
    assert scores.main == Score(MAIN_METRIC, PROTOCOL, None, None, None, 0)
    assert len(scores.regions) == 5
    assert len(scores.categories) == 0


def test_a_suite_without_regions_is_never_complete() -> None:
    scores = score(FIVE.iloc[:0], EVERY_ENDING.iloc[:0])
    assert scores.main.value is None
    assert not scores.counts.complete


def test_each_protocol_cleans_in_its_own_way() -> None:
    given = references(category=["bow_(ribbon)", "T-shirt"])
    rows = score(given, answers(("r0", "Bow.", "answered"), ("r1", "It is: t-shirt", "answered")))
    frame = rows.regions.set_index("region_id")
    assert frame["reference"].tolist() == ["bow", "T shirt"]
    assert frame["semantic_iou/wowseg-v1"].tolist() == [0, 0]  # "bow." ≠ "bow", "t-shirt" ≠ "t"
    assert frame["semantic_iou/osprey-v1"].tolist() == [1 / 2, 1]  # the label keeps "(ribbon)"


def test_exact_and_synonym_matches() -> None:
    given = references(
        category=["aerosol_can", "aerosol_can", "dog:ear", "cat"],
        synonyms=[["aerosol_can", "spray_can"], ["aerosol_can", "spray_can"], [], ["kitty"]],
    )
    said = answers(
        ("r0", "Spray can", "answered"),
        ("r1", "aerosol can", "answered"),
        ("r2", "dog: ear", "answered"),
        ("r3", "kitten", "answered"),
    )
    regions = score(given, said).regions
    assert regions["exact_match/wowseg-v1"].tolist() == [0, 1, 1, 0]
    assert regions["synonym_match/wowseg-v1"].tolist() == [1, 1, 1, 0]
    assert regions["exact_match/osprey-v1"].tolist() == [0, 1, 0, 0]


def test_an_empty_answer_matches_nothing() -> None:
    given = references(category=["(gone)"])
    regions = score(given, answers(("r0", "", "empty"))).regions
    assert regions.loc[0, "reference"] == ""
    assert regions.loc[0, "exact_match/wowseg-v1"] == 0


def test_without_synonyms_there_is_no_synonym_rate() -> None:
    scores = score(FIVE, EVERY_ENDING)
    assert not [s.metric for s in scores.table if s.metric.startswith("synonym")]
    assert "synonym_match/wowseg-v1" not in scores.regions


def test_macro_scores_average_over_categories() -> None:
    given = references(category=["dog", "dog", "dog", "cat"])
    said = [("r0", "dog", "answered"), ("r1", "dog", "answered"), ("r2", "cat", "answered")]
    scores = score(given, answers(*said, ("r3", "dog", "answered")))
    assert value(scores, "exact_match").value == pytest.approx(2 / 4)
    macro = value(scores, "exact_match[macro]")
    assert macro.value == pytest.approx((2 / 3 + 0) / 2)
    assert macro.count == 2


def test_frequency_groups_average_their_own_regions() -> None:
    given = references(category=["a", "b", "c", "d"], frequency=["r", "r", "f", None])
    said = answers(*[(f"r{row}", "a", "answered") for row in range(4)])
    scores = score(given, said)
    assert value(scores, "exact_match[rare]").value == 1 / 2
    assert value(scores, "exact_match[rare]").count == 2
    assert value(scores, "exact_match[common]") == Score(
        "exact_match[common]", PROTOCOL, None, None, None, 0
    )
    assert value(scores, "exact_match[frequent]", "osprey-v1").value == 0


def test_without_frequencies_there_are_no_frequency_groups() -> None:
    assert not [s for s in score(FIVE, EVERY_ENDING).table if "[rare]" in s.metric]


def test_an_unknown_frequency_is_refused() -> None:
    given = references(category=["a"], frequency=["x"])
    with pytest.raises(SuiteError, match="frequency 'x'"):
        score(given, answers(("r0", "a", "answered")))


def test_a_value_is_the_mean_of_its_column_with_a_bootstrap_over_images() -> None:
    rng = np.random.default_rng(0)
    names = np.array(["dog", "cat", "bus"])
    given = references(category=rng.choice(names, 40).tolist())
    said = [(f"r{row}", str(rng.choice(names)), "answered") for row in range(40)]
    scores = score(given, answers(*said), resamples=50, seed=4)
    images = scores.regions["image_id"].to_numpy()
    for metric in ("semantic_similarity", "semantic_iou", "exact_match"):
        for suffix, groups in (("", None), ("[macro]", scores.regions["category"].to_numpy())):
            column = scores.regions[f"{metric}/osprey-v1"].to_numpy()
            draws = bootstrap_draws(column[:, None], images, groups, resamples=50, seed=4)
            interval = interval_of(draws[:, 0])
            found = value(scores, metric + suffix, "osprey-v1")
            expected = (
                scores.regions.groupby("category")[f"{metric}/osprey-v1"].mean().mean()
                if suffix
                else column.mean()
            )
            assert found.value == pytest.approx(expected, abs=1e-12)
            assert (found.low, found.high) == pytest.approx(interval, abs=1e-12)


def test_categories_are_means_of_their_regions_in_long_form() -> None:
    categories = score(FIVE, EVERY_ENDING).categories
    assert categories.columns.tolist() == ["category", "metric", "protocol", "value", "count"]
    keys = categories[["category", "metric", "protocol"]]
    assert keys.equals(keys.sort_values(["category", "metric", "protocol"], ignore_index=True))
    dogs = categories[(categories["category"] == "dog") & (categories["metric"] == "exact_match")]
    assert dogs[["protocol", "value", "count"]].to_numpy().tolist() == [
        ["osprey-v1", 1 / 2, 2],
        ["wowseg-v1", 1 / 2, 2],
    ]
    assert set(categories["category"]) == {"dog", "cat"}  # the others have no final answer


def test_regions_are_sorted_and_typed() -> None:
    scores = score(FIVE.iloc[::-1], EVERY_ENDING.iloc[::-1])
    assert scores.regions.columns[:6].tolist() == [
        "region_id",
        "image_id",
        "category",
        "reference",
        "text",
        "status",
    ]
    assert scores.regions["region_id"].tolist() == ["r0", "r1", "r2", "r3", "r4"]
    assert scores.regions["text"].tolist() == ["dog", "", "", "", ""]
    assert set(map(str, scores.regions.dtypes)) == {"str", "float64"}
    assert scores.encoder_digest == "letters"


@settings(deadline=None, max_examples=8)
@given(st.permutations(range(5)), st.permutations(range(4)))
def test_scores_do_not_depend_on_the_order_of_rows(
    of_references: list[int], of_answers: list[int]
) -> None:
    expected = score(FIVE, EVERY_ENDING)
    found = score(FIVE.iloc[of_references], EVERY_ENDING.iloc[of_answers])
    assert found.table == expected.table
    pd.testing.assert_frame_equal(found.regions, expected.regions, check_exact=True)
    pd.testing.assert_frame_equal(found.categories, expected.categories, check_exact=True)


def test_statuses_may_be_the_enums_members() -> None:
    rows = pd.DataFrame({"region_id": ["r0"], "text": ["dog"], "status": [Status.ANSWERED]})
    assert score(FIVE, rows).counts.answered == 1


def test_text_that_cannot_be_written_as_utf8_is_mended() -> None:
    broken = pd.DataFrame(
        {"region_id": ["r0"], "text": ["dog\ud800"], "status": ["answered"]}, dtype=object
    )
    text = score(FIVE, broken).regions["text"].tolist()[0]
    assert text.startswith("dog\ufffd")


def test_answers_to_unknown_regions_are_named() -> None:
    said = answers(("r0", "dog", "answered"), ("zebra", "dog", "answered"))
    with pytest.raises(SuiteError, match="not in the suite's selection: 'zebra'"):
        score(FIVE, said)


def test_many_unknown_regions_are_counted_and_some_named() -> None:
    said = answers(*[(f"x{row}", "dog", "answered") for row in range(9)])
    with pytest.raises(SuiteError, match=r"9 region\(s\) .*'x0', 'x1', 'x2', 'x3', 'x4', …"):
        score(FIVE, said)


def test_two_answers_to_one_region_are_refused() -> None:
    said = answers(("r0", "dog", "answered"), ("r0", "cat", "answered"))
    with pytest.raises(SuiteError, match="more than one answer: 'r0'"):
        score(FIVE, said)


def test_a_region_the_suite_lists_twice_is_refused() -> None:
    with pytest.raises(SuiteError, match="the suite lists twice: 'r0'"):
        score(pd.concat([FIVE, FIVE.iloc[:1]]), EVERY_ENDING)


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(SuiteError, match="status 'done'; expected one of answered, empty"):
        score(FIVE, answers(("r0", "dog", "done")))


@pytest.mark.parametrize("column", ["region_id", "text", "status"])
def test_a_lacking_column_is_named(column: str) -> None:
    with pytest.raises(SuiteError, match=f"answers lack the column '{column}'"):
        score(FIVE, EVERY_ENDING.drop(columns=column))


def test_the_cards_metrics_are_all_in_the_table() -> None:
    reported = {(s.metric, s.protocol) for s in score(FIVE, EVERY_ENDING).table}
    assert {(card.name, PROTOCOL) for card in FREE_TEXT_METRICS} <= reported
