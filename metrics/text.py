"""The text cleanings of the published free-text evaluation scripts.

Each script rewrites labels and answers in its own way before comparing them; a score is
comparable only with scores of the same cleaning. A cleaning is never edited: a change is a new
version with a new name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

OSPREY_END_OF_TURN = "</s>"

_UNDERSCORED_PARENTHESIS = re.compile(r"_\(.*?\)")


@dataclass(frozen=True, slots=True)
class Cleaning:
    """How one protocol rewrites both texts before they are compared.

    ``reference`` takes the label as in the annotation file, ``prediction`` the model's answer.
    """

    name: str
    reference: Callable[[str], str]
    prediction: Callable[[str], str]


def normalise_wowseg_label(label: str) -> str:
    """A label as WOW-Seg's converter writes it when the suite is built.

    Every ``(…)`` goes together with one ``_`` right before it, underscores and hyphens become
    blanks, the parts around colons are joined by ``": "``, and runs of blanks collapse.
    Source: ``wow_eval/convert_osprey_to_internvl.py`` of the official repository.

    >>> normalise_wowseg_label("trash_can_(bin):T-shaped_lid")
    'trash can: T shaped lid'
    """
    label = _without_parentheses(label).replace("_", " ").replace("-", " ")
    if ":" in label:
        label = ": ".join(part.strip() for part in label.split(":"))
    return " ".join(label.split())


def _without_parentheses(label: str) -> str:
    while (start := label.find("(")) >= 0 and (end := label.find(")", start)) >= 0:
        before = label[:start].removesuffix("_").strip()
        label = before + label[end + 1 :]
    return label


def clean_wowseg_reference(label: str) -> str:
    """A normalised label as WOW-Seg's scoring script compares it.

    Blanks are not collapsed. Source: ``wow_eval/semantic_eval.py``.
    """
    if "_(" in label and ")" in label:
        label = _UNDERSCORED_PARENTHESIS.sub("", label)
    return clean_wowseg_prediction(label)


def clean_wowseg_prediction(answer: str) -> str:
    """An answer as WOW-Seg's scoring script compares it: punctuation and hyphens stay.

    Source: ``wow_eval/semantic_eval.py``.
    """
    return answer.replace("_", " ").replace(":", " ")


def clean_osprey_reference(label: str) -> str:
    """A label as Osprey's script compares it: parentheses stay.

    Source: ``osprey/eval/lvis_paco_eval.py`` of the official repository.
    """
    return label.replace("_", " ").replace(":", " ")


def clean_osprey_prediction(answer: str, end_of_turn: str = OSPREY_END_OF_TURN) -> str:
    """An answer as Osprey's script compares it.

    One trailing end-of-turn string is dropped; of a text with colons only the second field is
    kept; full stops and commas become blanks. Source: ``osprey/eval/lvis_paco_eval.py``.

    >>> clean_osprey_prediction("The category is: cat.</s>")
    ' cat '
    """
    answer = answer.strip().removesuffix(end_of_turn).strip()
    if ":" in answer:
        answer = answer.split(":")[1]
    return answer.replace(".", " ").replace(":", " ").replace(",", " ")


def _wowseg_reference(label: str) -> str:
    return clean_wowseg_reference(normalise_wowseg_label(label))


WOWSEG_V1 = Cleaning("wowseg-v1", _wowseg_reference, clean_wowseg_prediction)
OSPREY_V1 = Cleaning("osprey-v1", clean_osprey_reference, clean_osprey_prediction)


def encodable(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD, so that it can be written as UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
