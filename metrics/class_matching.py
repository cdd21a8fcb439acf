"""From free text to a class: the class with a name that means most nearly the same.

Osprey's evaluation puts every name of a class into a sentence and compares the sentences'
embeddings with the answer's (Yuan et al., "Osprey: Pixel Understanding with Visual Instruction
Tuning", CVPR 2024; ``eval_open_vocab_seg_detectron2.py`` of the official repository).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from metrics.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics.semantic import Encoder

TEMPLATE = "There is a {} in the scene."

_TEXTS_AT_ONCE = 4096  # × 2,000 names: 33 MB of cosines


class Matches(NamedTuple):
    """The nearest class of every text: index and cosine, ``[texts]``."""

    classes: NDArray[np.intp]
    cosines: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClassMatcher:
    """A vocabulary's classes, embedded, ready to be matched with texts. Use :meth:`load`."""

    encoder: Encoder
    _sentences: NDArray[np.float32]  # [distinct sentences, dimensions]
    _sentence: NDArray[np.intp]  # [names], each name's sentence, class after class
    _starts: NDArray[np.intp]  # [classes], each class's first name

    @classmethod
    def load(
        cls, names: Sequence[Sequence[str]], encoder: Encoder, *, template: str = TEMPLATE
    ) -> ClassMatcher:
        """Embed the names of all classes.

        Args:
            names: the names of every class, one at least.
            encoder: embeds texts with unit norm.
            template: the sentence around a name, which takes the place of ``{}``.

        Raises:
            MetricError: no classes, a class without a name, or a template without one ``{}``.
        """
        if not names or not all(names):
            missing = next((row for row, own in enumerate(names) if not own), None)
            where = "no classes" if missing is None else f"class {missing} has no name"
            raise MetricError(f"the vocabulary cannot be matched: {where}")
        if template.count("{}") != 1:
            raise MetricError(f"the template {template!r} needs one {{}} where the name goes")
        sentences = [template.replace("{}", name) for own in names for name in own]
        distinct = sorted(set(sentences))
        rows = {sentence: row for row, sentence in enumerate(distinct)}
        return cls(
            encoder,
            encoder.encode(distinct),
            np.array([rows[sentence] for sentence in sentences], np.intp),
            np.cumsum([0, *(len(own) for own in names[:-1])], dtype=np.intp),
        )

    def match(self, texts: Sequence[str]) -> Matches:
        """Find the class of every text; the lowest index where several are equally near.

        Texts are taken as they are, the empty one too. Every distinct text is encoded once, in
        sorted order, and compared with all classes by one matrix product per block of texts.
        """
        distinct = sorted(set(texts))
        classes = np.empty(len(distinct), np.intp)
        cosines = np.empty(len(distinct), np.float32)
        for rows, scores in self._scores(distinct):
            classes[rows] = scores.argmax(axis=1)
            cosines[rows] = scores.max(axis=1)
        position = {text: row for row, text in enumerate(distinct)}
        order = np.fromiter((position[text] for text in texts), np.intp, len(texts))
        return Matches(classes[order], cosines[order])

    def similarities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Class scores ``[texts, classes]``: the largest cosine over the names of each class."""
        blocks = [scores for _, scores in self._scores(list(texts))]
        return np.concatenate([np.empty((0, len(self._starts)), np.float32), *blocks])

    def _scores(self, texts: list[str]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            rows = slice(start, start + _TEXTS_AT_ONCE)
            cosines = self.encoder.encode(texts[rows]) @ self._sentences.T
            # Equal names share one column, so that classes with the same name tie exactly.
            yield rows, np.maximum.reduceat(cosines[:, self._sentence], self._starts, axis=1)
