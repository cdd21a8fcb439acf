"""Answers joined to the references they answer; every reference stays in the denominator."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from adapters.interface import Status
from metrics.text import encodable
from suites.base import Counts, SuiteError

MISSING = "missing"
"""Status of a region without any answer."""

SPOKEN = (Status.ANSWERED.value, Status.EMPTY.value)
FINAL = (*SPOKEN, Status.UNANSWERABLE.value)

_SHOWN = 5  # ids named in an error message


class Joined(NamedTuple):
    """``frame``: the references' columns plus ``text`` and ``status``, sorted by ``region_id``."""

    frame: pd.DataFrame
    counts: Counts


def join_answers(references: pd.DataFrame, answers: pd.DataFrame) -> Joined:
    """Give every reference its answer, or the status ``missing``.

    Args:
        references: ``region_id``, ``image_id``, ``category`` and extras, one row per region.
        answers: ``region_id``, ``text``, ``status`` in any order; further columns are ignored.

    Raises:
        SuiteError: a column is lacking, a region occurs twice, an answer is to a region that is
            not among the references, or a status is unknown.
    """
    _require_columns(references, ("region_id", "image_id", "category"), "references")
    _require_columns(answers, ("region_id", "text", "status"), "answers")
    _refuse(references.region_id[references.region_id.duplicated()], "the suite lists twice")
    _refuse(answers.region_id[answers.region_id.duplicated()], "have more than one answer")
    unknown = answers.region_id[~answers.region_id.isin(references.region_id)]
    _refuse(unknown, "have an answer but are not in the suite's selection")

    given = pd.DataFrame(
        {
            "region_id": answers["region_id"],
            "text": [encodable(t) if isinstance(t, str) else "" for t in answers["text"]],
            "status": [str(status) for status in answers["status"]],
        }
    ).astype("str")
    frame = references.merge(given, on="region_id", how="left").sort_values(
        "region_id", ignore_index=True
    )
    frame["text"] = frame["text"].fillna("").astype("str")
    frame["status"] = frame["status"].fillna(MISSING).astype("str")
    return Joined(frame, _count(frame["status"]))


def _count(status: pd.Series[str]) -> Counts:
    found = status.value_counts()
    known = [*(s.value for s in Status), MISSING]
    for name in found.index.difference(known):
        raise SuiteError(f"an answer has status {name!r}; expected one of {', '.join(known)}")
    return Counts(expected=len(status), **{name: int(found.get(name, 0)) for name in known})


def _require_columns(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    for column in columns:
        if column not in frame.columns:
            raise SuiteError(
                f"the {what} lack the column {column!r}; they have: {', '.join(map(str, frame))}"
            )


def _refuse(regions: pd.Series[str], complaint: str) -> None:
    if len(regions):
        names = ", ".join(repr(str(name)) for name in sorted(set(regions))[:_SHOWN])
        more = ", …" if regions.nunique() > _SHOWN else ""
        raise SuiteError(f"{regions.nunique()} region(s) {complaint}: {names}{more}")
