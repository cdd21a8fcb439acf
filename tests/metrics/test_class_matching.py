"""Matching answers with classes: against the plain definition and Osprey's script."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from metrics import class_matching
from metrics.class_matching import ClassMatcher
from metrics.encoder import SentenceEncoder
from metrics.errors import MetricError

FOLDER = Path(__file__).parents[1] / "goldens" / "osprey_eval"


class SpellingEncoder:
    """Embeds a text by its letters, and remembers what it was asked."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.encoded += texts
        vectors = np.zeros((len(texts), 27), np.float32)
        for row, text in enumerate(texts):
            for letter in text:
                vectors[row, ord(letter) % 27] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1), np.float32)


names = st.text(alphabet="abcd ", min_size=1, max_size=5)
vocabularies = st.lists(st.lists(names, min_size=1, max_size=3), min_size=1, max_size=5)


@given(vocabularies, st.lists(st.text(alphabet="abcd", max_size=5), max_size=8))
def test_the_class_is_the_first_with_the_largest_cosine_over_its_names(
    vocabulary: list[list[str]], texts: list[str]
) -> None:
    encoder = SpellingEncoder()
    matcher = ClassMatcher.load(vocabulary, encoder, template="a {}")
    matches = matcher.match(texts)
    for text, klass, cosine in zip(texts, matches.classes, matches.cosines, strict=True):
        [answer] = encoder.encode([text])
        scores = [
            max(float(s @ answer) for s in encoder.encode([f"a {n}" for n in own]))
            for own in vocabulary
        ]
        assert cosine == pytest.approx(max(scores), abs=1e-6)
        # Only classes that lie apart by more than rounding are told apart by the naive loop.
        assert scores[klass] == pytest.approx(max(scores), abs=1e-6)
        assert all(score < cosine + 1e-6 for score in scores[:klass])
        twins = [k for k, own in enumerate(vocabulary) if set(own) == set(vocabulary[klass])]
        assert klass == twins[0]


def test_classes_with_the_same_name_tie_and_the_lower_index_wins() -> None:
    vocabulary = [["tree"], ["palm", "mouse"], ["cup"], ["mouse"], ["tree", "oak"]]
    matcher = ClassMatcher.load(vocabulary, SpellingEncoder(), template="{}")
    assert matcher.match(["mouse", "tree", "oak"]).classes.tolist() == [1, 0, 4]


def test_every_distinct_text_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_matching, "_TEXTS_AT_ONCE", 2)
    encoder = SpellingEncoder()
    matcher = ClassMatcher.load([["cat", "pet"], ["dog", "pet"]], encoder)
    texts = ["dog", "cat", "dog", "", "bird", "bird", "a pet"]
    matches = matcher.match(texts)
    assert sorted(encoder.encoded) == sorted(
        {f"There is a {name} in the scene." for name in ("cat", "dog", "pet")} | set(texts)
    )
    alone = [matcher.match([text]).classes[0] for text in texts]
    assert matches.classes.tolist() == alone


def test_no_texts_match_nothing() -> None:
    matcher = ClassMatcher.load([["cat"]], SpellingEncoder())
    assert matcher.match([]).classes.shape == (0,)
    assert matcher.similarities([]).shape == (0, 1)


@pytest.mark.parametrize(
    ("vocabulary", "template", "message"),
    [
        ([], "{}", "no classes"),
        ([["cat"], []], "{}", "class 1 has no name"),
        ([["cat"]], "a photo", "needs one {}"),
        ([["cat"]], "{} {}", "needs one {}"),
    ],
)
def test_a_vocabulary_that_cannot_be_matched_is_refused(
    vocabulary: list[list[str]], template: str, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        ClassMatcher.load(vocabulary, SpellingEncoder(), template=template)


@pytest.mark.parametrize("name", ["ade20k_150", "cityscapes_19"])
def test_ospreys_script_finds_the_same_classes_and_cosines(name: str) -> None:
    vocabulary = json.loads((FOLDER / "class_names.json").read_text())
    golden = json.loads((FOLDER / "class_matching.json").read_text())[name]
    matcher = ClassMatcher.load(
        [klass["synonyms"] for klass in vocabulary[name]],
        SentenceEncoder.load(),
        template=vocabulary["template"],
    )
    texts = [row["text"] for row in golden["rows"]]

    assert matcher.match(texts).classes.tolist() == [row["pred_class"] for row in golden["rows"]]
    for scores, row in zip(matcher.similarities(texts), golden["rows"], strict=True):
        assert scores[row["top3_classes"]] == pytest.approx(np.array(row["top3_cosine"]), abs=1e-5)
