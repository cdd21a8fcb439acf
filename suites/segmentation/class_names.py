"""The names answers are matched with, and what they make of the protocol's name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.interface import JsonScalar
from metrics.class_matching import ClassMatcher
from suites.base import SuiteOptionError, TextEncoder
from suites.options import path_option
from suites.vocabularies import Vocabulary, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ClassNames:
    """A set's own classes and the vocabulary that answers are matched with.

    ``classes`` is the set's: it gives labels, things, and the order. ``matched`` may be the
    user's, with other names for the same class ids.
    """

    classes: Vocabulary
    matched: Vocabulary
    template: str

    @property
    def labels(self) -> tuple[str, ...]:
        """A label for every class: its first name, or all where another class shares that."""
        shared = Counter(self.classes.labels)
        return tuple(
            names[0] if shared[names[0]] == 1 else ", ".join(names)
            for names in self.classes.synonyms
        )

    def protocol(self, name: str) -> str:
        """``name``, with a suffix where other names or another template make it another one."""
        ours = (self.classes.synonyms, self.classes.template)
        if (self.matched.synonyms, self.template) == ours:
            return name
        content = json.dumps([self.matched.synonyms, self.template])
        return f"{name}+{hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_DIGITS]}"

    def settings(self) -> Mapping[str, str]:
        """What is stored with every score."""
        return {
            "vocabulary": self.matched.name,
            "vocabulary_digest": self.matched.digest,
            "template": self.template,
        }

    def matcher(self, encoder: TextEncoder) -> ClassMatcher:
        """Matches answers with the classes."""
        return ClassMatcher.load(self.matched.synonyms, encoder, template=self.template)


def class_names(classes: Vocabulary, vocabulary: JsonScalar, template: JsonScalar) -> ClassNames:
    """The names of a set, from the options ``vocabulary`` and ``template``.

    Args:
        classes: the set's own.
        vocabulary: file with other names for the same class ids, or ``None``.
        template: sentence with one ``{}``, or ``None`` for the vocabulary's.

    Raises:
        VocabularyError: there is no such file, or it cannot be used.
        SuiteOptionError: it names other classes, or the template has no place for a name.
    """
    path = path_option("vocabulary", vocabulary)
    matched = classes if path is None else _matched(classes, path)
    if template is None:
        return ClassNames(classes, matched, matched.template)
    if not isinstance(template, str) or template.count("{}") != 1:
        raise SuiteOptionError(
            f"option 'template' must be a sentence with one {{}} where the name goes, "
            f"not {template!r}"
        )
    return ClassNames(classes, matched, template)


def _matched(classes: Vocabulary, path: Path) -> Vocabulary:
    """The user's vocabulary in the order of the set's classes."""
    given = read_vocabulary(path)
    names = dict(zip(given.ids, given.synonyms, strict=True))
    if set(names) != set(classes.ids):
        lacking = sorted(set(classes.ids) - set(names))
        spare = sorted(set(names) - set(classes.ids))
        raise SuiteOptionError(
            f"vocabulary {path} has to name the {len(classes)} classes of {classes.name}: "
            + "; ".join(
                f"it {verb} id {', '.join(map(str, ids[:5]))}{', …' if len(ids) > 5 else ''}"
                for verb, ids in (("lacks", lacking), ("also names", spare))
                if ids
            )
        )
    return Vocabulary(
        name=given.name,
        ids=classes.ids,
        synonyms=tuple(names[i] for i in classes.ids),
        things=classes.things,
        source=given.source,
        template=given.template,
    )
