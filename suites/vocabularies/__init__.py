"""Vocabularies of the closed sets: every class's names, as data."""

from suites.vocabularies.files import load_vocabulary, read_vocabulary, vocabulary_names
from suites.vocabularies.vocabulary import Vocabulary, VocabularyError

__all__ = [
    "Vocabulary",
    "VocabularyError",
    "load_vocabulary",
    "read_vocabulary",
    "vocabulary_names",
]
