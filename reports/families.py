"""Suite families: the suites whose columns stand in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADLINE_METRICS = ("semantic_similarity", "semantic_iou")
"""Metrics the board shows beside a suite's main one."""

_TITLES = {"lvis": "LVIS", "paco": "PACO", "rr7k": "RR-7K"}


@dataclass(frozen=True, slots=True)
class Family:
    """Suites compared side by side, in column order."""

    key: str
    title: str
    summary: str
    suites: tuple[str, ...]


REGION_RECOGNITION = Family(
    key="region-recognition",
    title="Region recognition",
    summary="Free-text names for ground-truth masks of objects and their parts.",
    suites=("lvis", "paco", "rr7k"),
)


def families(suites: Iterable[str]) -> list[Family]:
    """The families of a board whose runs are of ``suites``: those with runs first.

    A suite of no family is one by itself; region recognition is always there, for its
    published rows.
    """
    present = sorted(set(suites))
    own = [
        Family(f"suite-{suite}", suite_title(suite), "", (suite,))
        for suite in present
        if suite not in REGION_RECOGNITION.suites
    ]
    has_runs = any(suite in REGION_RECOGNITION.suites for suite in present)
    return [REGION_RECOGNITION, *own] if has_runs else [*own, REGION_RECOGNITION]


def suite_title(suite: str) -> str:
    """A suite's name as papers write it."""
    return _TITLES.get(suite, suite)
