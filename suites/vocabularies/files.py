"""Vocabulary files: one class per line, ``id:name,synonym,…``, as the field exchanges them.

Lines that start with ``#`` are comments, but for these, each of which may be repeated::

    # source: where the names come from
    # things: 8 9 11          ids of the thing classes
    # template: There is a {} in the scene.

A class named ``invalid_class_id`` is a placeholder and is left out. A name that a class repeats
counts once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from metrics.class_matching import TEMPLATE
from suites.vocabularies.vocabulary import Vocabulary, VocabularyError

_FOLDER = Path(__file__).parent
_PLACEHOLDER = "invalid_class_id"


def vocabulary_names() -> tuple[str, ...]:
    """The vocabularies that come with the project, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.txt")))


def load_vocabulary(name: str | os.PathLike[str]) -> Vocabulary:
    """A vocabulary by its name, or by the path of a file.

    A plain word is a name; anything with a folder or a suffix is a path.

    Raises:
        VocabularyError: there is no such vocabulary or file, or the file cannot be used.
    """
    path = Path(name)
    if path.name != str(name) or path.suffix:
        return read_vocabulary(path)
    if str(name) not in vocabulary_names():
        near = get_close_matches(str(name), vocabulary_names(), n=3) or vocabulary_names()
        raise VocabularyError(
            f"no vocabulary {str(name)!r}; did you mean {', '.join(near)}? "
            "A vocabulary of your own is named by its file (./classes.txt)"
        )
    return read_vocabulary(_FOLDER / f"{name}.txt")


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary file; its stem becomes the vocabulary's name.

    Raises:
        VocabularyError: missing, not UTF-8, without a class, or a line that cannot be used.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise VocabularyError(
            f"vocabulary file {path} cannot be read: {error.strerror or error}"
        ) from error
    except UnicodeDecodeError as error:
        raise VocabularyError(f"vocabulary file {path} is not UTF-8; save it as UTF-8") from error
    reading = _Reading(path)
    for number, line in enumerate(lines, start=1):
        reading.take(number, line.strip())
    return reading.vocabulary()


@dataclass
class _Reading:
    """What has been read of a file so far."""

    path: Path
    classes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    things: dict[int, int] = field(default_factory=dict)  # id: the line that names it
    source: list[str] = field(default_factory=list)
    template: str = TEMPLATE

    def take(self, number: int, line: str) -> None:
        if line.startswith("#"):
            self._take_comment(number, line[1:].strip())
        elif line:
            self._take_class(number, line)

    def _take_comment(self, number: int, comment: str) -> None:
        key, _, value = comment.partition(":")
        if key == "source":
            self.source.append(value.strip())
        elif key == "things":
            self.things.update((self._id(number, word), number) for word in value.split())
        elif key == "template":
            self.template = value.strip()
            if self.template.count("{}") != 1:
                raise self._error(number, "the template needs one {} where the name goes")

    def _take_class(self, number: int, line: str) -> None:
        word, colon, rest = line.partition(":")
        if not colon:
            raise self._error(number, f"expected `id:name,synonym,…`, found {line[:60]!r}")
        names = tuple(dict.fromkeys(name.strip() for name in rest.split(",")))
        if names == (_PLACEHOLDER,):
            return
        if "" in names:
            raise self._error(number, "a name is empty; take out the spare comma or add the name")
        if (identifier := self._id(number, word)) in self.classes:
            raise self._error(number, f"class id {identifier} is listed before; ids are distinct")
        self.classes[identifier] = names

    def vocabulary(self) -> Vocabulary:
        """The vocabulary read.

        Raises:
            VocabularyError: no class at all, or a thing that is none of the classes.
        """
        if not self.classes:
            raise VocabularyError(
                f"vocabulary file {self.path} holds no class; write one per line: id:name,synonym"
            )
        for identifier, number in self.things.items():
            if identifier not in self.classes:
                raise self._error(number, f"thing {identifier} is not the id of a class")
        return Vocabulary(
            name=self.path.stem,
            ids=tuple(self.classes),
            synonyms=tuple(self.classes.values()),
            things=tuple(i in self.things for i in self.classes) if self.things else None,
            source=" ".join(self.source),
            template=self.template,
        )

    def _id(self, number: int, word: str) -> int:
        if not (word.strip().isascii() and word.strip().isdecimal() and len(word) < 10):
            raise self._error(number, f"a class id is a whole number, not {word.strip()[:60]!r}")
        return int(word)

    def _error(self, number: int, message: str) -> VocabularyError:
        return VocabularyError(f"vocabulary file {self.path}, line {number}: {message}")
