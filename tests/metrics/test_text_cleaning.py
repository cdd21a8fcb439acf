"""The cleanings give what the published scripts give, text by text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.text import (
    OSPREY_V1,
    WOWSEG_V1,
    clean_osprey_prediction,
    clean_osprey_reference,
    clean_wowseg_prediction,
    clean_wowseg_reference,
    encodable,
    normalise_wowseg_label,
)

GOLDENS = Path(__file__).resolve().parents[1] / "goldens"


def cases(file: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDENS / file).read_text(encoding="utf-8"))[key]
    assert found
    return found


@pytest.mark.parametrize("case", cases("wow_seg/text_cases.json", "label_normalisation"))
def test_labels_are_normalised_as_by_wowsegs_converter(case: dict[str, str]) -> None:
    assert normalise_wowseg_label(case["raw"]) == case["normalised"]


@pytest.mark.parametrize("case", cases("wow_seg/text_cases.json", "semantic_pairs"))
def test_both_texts_are_cleaned_as_by_wowsegs_scorer(case: dict[str, str]) -> None:
    assert clean_wowseg_prediction(case["pred"]) == case["pred_encoded"]
    assert clean_wowseg_reference(case["gt"]) == case["gt_encoded"]


@pytest.mark.parametrize("case", cases("osprey_text/lvis_paco_text.json", "pairs"))
def test_both_texts_are_cleaned_as_by_ospreys_scorer(case: dict[str, str]) -> None:
    assert OSPREY_V1.prediction(case["decoded"]) == case["prediction_clean"]
    assert OSPREY_V1.reference(case["category_raw"]) == case["category_clean"]


@pytest.mark.parametrize(
    ("label", "normalised"),
    [
        ("", ""),
        ("___", ""),
        ("(only)", ""),
        ("a)b(c", "a)b(c"),  # nothing between an opening and a later closing bracket
        ("a_(b_(c)_d)", "a d)"),  # the first closing bracket ends the parenthesis
        ("a__(b)", "a"),  # one underscore goes with the bracket, the other becomes a blank
        ("x (a) y (b)", "x y"),
        ("x_(a)_(b)_y", "x y"),
        (":", ":"),
        ("a::b", "a: : b"),
        ("dog:ear:tip", "dog: ear: tip"),
        ("naïve-café_表:面", "naïve café 表: 面"),
        ("tab\tand\u00a0blank", "tab and blank"),
        ("en–dash", "en–dash"),  # only the ASCII hyphen is replaced
    ],
)
def test_odd_labels_are_normalised(label: str, normalised: str) -> None:
    assert normalise_wowseg_label(label) == normalised


def test_wowseg_main_reference_is_normalised_and_then_cleaned_without_collapsing() -> None:
    assert WOWSEG_V1.reference("laptop_computer:back-side_(part)") == "laptop computer  back side"


@pytest.mark.parametrize(
    ("label", "cleaned"),
    [
        ("salmon_(fish)_(raw)", "salmon"),
        ("a_(b)c)", "ac)"),  # the shortest match
        ("plain (kept)", "plain (kept)"),
        ("open_(only", "open (only"),
        (")_(", ") ("),
    ],
)
def test_wowsegs_scorer_drops_underscored_parentheses(label: str, cleaned: str) -> None:
    assert clean_wowseg_reference(label) == cleaned


@pytest.mark.parametrize("answer", ["dog.", "T-shirt", " two  blanks ", "a,b!", "(kept)", ""])
def test_wowseg_leaves_punctuation_and_blanks_of_answers(answer: str) -> None:
    assert clean_wowseg_prediction(answer) == answer


@pytest.mark.parametrize(
    ("answer", "cleaned"),
    [
        ("dog</s>", "dog"),
        ("dog</s></s>", "dog</s>"),  # one end-of-turn string only
        ("</s>dog", "</s>dog"),  # only a trailing one
        (" \n", ""),
        ("a:b", "b"),
        (":", ""),
        ("a:", ""),
        ("a : b : c", " b "),
        ("a.b,c", "a b c"),
        ("dog_ear", "dog_ear"),  # underscores of answers stay
        ("犬：耳。", "犬：耳。"),  # full-width punctuation stays
    ],
)
def test_odd_answers_are_cleaned_as_by_ospreys_scorer(answer: str, cleaned: str) -> None:
    assert clean_osprey_prediction(answer) == cleaned


def test_another_models_end_of_turn_string_can_be_dropped() -> None:
    assert clean_osprey_prediction("dog<|im_end|> ", end_of_turn="<|im_end|>") == "dog"


def test_osprey_keeps_the_parenthesised_part_of_labels() -> None:
    assert clean_osprey_reference("bow_(decorative_ribbons):end") == "bow (decorative ribbons) end"


@given(st.text(alphabet="ab_()-: \n"))
def test_normalising_twice_changes_nothing(label: str) -> None:
    once = normalise_wowseg_label(label)
    assert normalise_wowseg_label(once) == once


@given(st.text())
def test_ordinary_text_is_encodable_as_it_is(text: str) -> None:
    assert encodable(text) == text


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_lone_surrogates_are_replaced(text: str) -> None:
    assert "\ufffd" in encodable(text)
    assert encodable(text).encode("utf-8").decode("utf-8") == encodable(text)
