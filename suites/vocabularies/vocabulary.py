"""What a vocabulary is: an ordered list of classes with the names each goes by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metrics.class_matching import TEMPLATE
from suites.base import SuiteError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class VocabularyError(SuiteError):
    """A vocabulary is unknown, or its file cannot be used; names file and line."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The classes of a closed set, in the order of their class index; the tuples are aligned.

    ``ids`` are the dataset's own class numbers. ``synonyms`` holds every class's names, the
    first of them its label. ``things`` says which classes are things (countable objects), the
    others being stuff; ``None`` where the dataset does not tell. ``source`` says where the names
    come from, ``template`` is the sentence around a name when it is matched with an answer.
    """

    name: str
    ids: tuple[int, ...]
    synonyms: tuple[tuple[str, ...], ...]
    things: tuple[bool, ...] | None
    source: str
    template: str = TEMPLATE

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> tuple[str, ...]:
        """The first name of every class."""
        return tuple(names[0] for names in self.synonyms)

    @property
    def digest(self) -> str:
        """Hex SHA-256 of all that decides a match or a score: ids, names, things, template."""
        content = [self.ids, self.synonyms, self.things, self.template]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()

    def thing_flags(self) -> NDArray[np.bool_]:
        """``things`` as bool ``[classes]``.

        Raises:
            VocabularyError: the vocabulary does not tell things from stuff.
        """
        if self.things is None:
            raise VocabularyError(
                f"vocabulary {self.name!r} does not tell things from stuff, which panoptic "
                "quality needs; add a line `# things: ID ID …` to its file"
            )
        return np.array(self.things, bool)
