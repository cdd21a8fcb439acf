"""Answers against labels, every distinct pair computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.matching import exact_match
from metrics.semantic import Embeddings, semantic_ious
from metrics.text import Cleaning

SIMILARITY = "semantic_similarity"
IOU = "semantic_iou"
EXACT = "exact_match"
SYNONYM = "synonym_match"


@dataclass(frozen=True, slots=True)
class TextPairs:
    """The distinct (answer, label) pairs of an evaluation.

    ``answers``, ``labels`` and (where the suite has them) ``synonyms`` are aligned, one per
    pair and uncleaned; ``row_pairs`` is the pair of every row, ``[rows]``.
    """

    answers: list[str]
    labels: list[str]
    synonyms: list[tuple[str, ...]] | None
    row_pairs: NDArray[np.intp]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> TextPairs:
        """Pairs of ``text`` and ``category``; ``synonyms`` belong to the category."""
        answer_codes, answers = pd.factorize(frame["text"], sort=True)
        label_codes, labels = pd.factorize(frame["category"], sort=True)
        keys = answer_codes.astype(np.int64) * max(len(labels), 1) + label_codes
        pairs, first_rows, row_pairs = np.unique(keys, return_index=True, return_inverse=True)
        answer_of_pair, label_of_pair = np.divmod(pairs, max(len(labels), 1))
        return cls(
            answers=list(answers[answer_of_pair]),
            labels=list(labels[label_of_pair]),
            synonyms=(
                [tuple(names) for names in frame["synonyms"].iloc[first_rows]]
                if "synonyms" in frame
                else None
            ),
            row_pairs=row_pairs,
        )

    def cleaned(self, cleaning: Cleaning) -> CleanedPairs:
        """The pairs as one protocol compares them."""
        reference = _Memo(cleaning.reference)
        prediction = _Memo(cleaning.prediction)
        return CleanedPairs(
            predictions=[prediction[answer] for answer in self.answers],
            references=[reference[label] for label in self.labels],
            synonyms=(
                None
                if self.synonyms is None
                else [[reference[name] for name in names] for names in self.synonyms]
            ),
        )


@dataclass(frozen=True, slots=True)
class CleanedPairs:
    """Distinct pairs after cleaning, aligned with :class:`TextPairs`."""

    predictions: list[str]
    references: list[str]
    synonyms: list[list[str]] | None

    def texts(self) -> Iterable[str]:
        """Every text the encoder must embed, repeats included."""
        yield from self.predictions
        yield from self.references

    def scores(self, embeddings: Embeddings) -> dict[str, NDArray[np.float64]]:
        """Each metric's value for every pair, ``[pairs]``."""
        found = {
            SIMILARITY: embeddings.similarities(self.predictions, self.references),
            IOU: semantic_ious(self.predictions, self.references),
            EXACT: self._matches([[reference] for reference in self.references]),
        }
        if self.synonyms is not None:
            names = zip(self.references, self.synonyms, strict=True)
            found[SYNONYM] = self._matches([[reference, *others] for reference, others in names])
        return found

    def _matches(self, names: list[list[str]]) -> NDArray[np.float64]:
        return np.array(
            [exact_match(*pair) for pair in zip(self.predictions, names, strict=True)],
            dtype=np.float64,
        )


class _Memo(dict[str, str]):
    """A text function that runs once per distinct text."""

    def __init__(self, function: Callable[[str], str]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> str:
        return self.setdefault(text, self._function(text))
