"""Exact matches between answers and the names that count as right."""

from __future__ import annotations

from collections.abc import Iterable


def canonical(text: str) -> str:
    """Lower-cased, blanks collapsed: what is left of a text when only its words matter.

    >>> canonical(" Traffic  light ")
    'traffic light'
    """
    return " ".join(text.lower().split())


def exact_match(prediction: str, names: Iterable[str]) -> bool:
    """Whether the prediction is one of the names, up to case and blanks.

    A prediction without a word matches nothing.
    """
    wanted = canonical(prediction)
    return bool(wanted) and any(canonical(name) == wanted for name in names)
