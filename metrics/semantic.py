"""Semantic IoU and semantic similarity of answers and references.

Both are defined on one pair of texts (WOW-Seg and Osprey evaluation scripts). An evaluation has
far fewer distinct texts than pairs, so texts are encoded once each and pairs computed once each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from metrics.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIRS_AT_ONCE = 8192  # 8,192 pairs of 384 floats: 25 MB


class Encoder(Protocol):
    """Anything that embeds texts, such as :class:`metrics.encoder.SentenceEncoder`."""

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings ``[len(texts), dimensions]``."""
        ...


def semantic_iou(prediction: str, reference: str) -> float:
    """Overlap of the two texts' words: |A ∩ B| / |A ∪ B| of the lower-cased, blank-separated sets.

    0 when neither text has a word.

    >>> semantic_iou("Traffic light", "street light")
    0.3333333333333333
    """
    words, wanted = set(prediction.lower().split()), set(reference.lower().split())
    union = len(words | wanted)
    return len(words & wanted) / union if union else 0.0


def semantic_ious(predictions: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """:func:`semantic_iou` of aligned texts, ``[n]``; every distinct text is split once.

    Raises:
        MetricError: the sequences differ in length.
    """
    _aligned(predictions, references)
    words = {text: frozenset(text.lower().split()) for text in {*predictions, *references}}
    values = np.zeros(len(predictions))
    for row, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
        found, wanted = words[prediction], words[reference]
        common = len(found & wanted)
        if common:
            values[row] = common / (len(found) + len(wanted) - common)
    return values


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embeddings of distinct texts; ``vectors`` is float32 ``[texts, dimensions]``, unit norm."""

    rows: dict[str, int]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, texts: Iterable[str], encoder: Encoder) -> Embeddings:
        """Encode each distinct text once, in sorted order, so that equal sets give equal bytes."""
        distinct = sorted(set(texts))
        vectors = encoder.encode(distinct)
        if vectors.shape[:1] != (len(distinct),):
            raise MetricError(
                f"the encoder returned {vectors.shape[:1]} rows for {len(distinct)} texts"
            )
        return cls({text: row for row, text in enumerate(distinct)}, vectors)

    def similarities(
        self, predictions: Sequence[str], references: Sequence[str]
    ) -> NDArray[np.float64]:
        """Cosines of aligned texts, ``[n]`` in [-1, 1] up to rounding; not clipped.

        Raises:
            MetricError: the sequences differ in length, or a text was not encoded.
        """
        _aligned(predictions, references)
        try:
            left = np.fromiter((self.rows[text] for text in predictions), np.intp)
            right = np.fromiter((self.rows[text] for text in references), np.intp)
        except KeyError as error:
            raise MetricError(
                f"the text {error} was not encoded; pass it to Embeddings.of"
            ) from None
        values = np.empty(len(left))
        for start in range(0, len(left), _PAIRS_AT_ONCE):
            rows = slice(start, start + _PAIRS_AT_ONCE)
            values[rows] = np.einsum(
                "ij,ij->i", self.vectors[left[rows]], self.vectors[right[rows]]
            )
        return values


def _aligned(predictions: Sequence[str], references: Sequence[str]) -> None:
    if len(predictions) != len(references):
        raise MetricError(
            f"{len(predictions)} predictions for {len(references)} references; pass one each"
        )
