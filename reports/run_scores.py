"""A run's scores as tables: over everything, and apart for groups of categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reports.families import HEADLINE_METRICS
from reports.records import Run, Score


class ScoreRow(NamedTuple):
    """One metric, and its score in every column (``None``: not measured)."""

    metric: str
    scores: tuple[Score | None, ...]


class GroupTable(NamedTuple):
    """Scores of groups of categories side by side, the whole beside them.

    ``rows`` holds a metric and protocol each; the last of ``columns`` is the whole.
    """

    key: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Score | None, ...]], ...]


_GROUPS = (
    (
        "frequency",
        "Rare and frequent categories",
        "Categories by how many training pictures of the dataset show them.",
        ("rare", "common", "frequent"),
    ),
    (
        "things",
        "Things and stuff",
        "Classes that can be counted, and those that cannot.",
        ("things", "stuff"),
    ),
)


def headline_metrics(run: Run) -> tuple[str, ...]:
    """The main metric, and those the board shows beside it."""
    scored = {score.metric for score in run.scores if score.protocol == run.protocol}
    others = (m for m in HEADLINE_METRICS if m in scored and m != run.main_metric)
    return run.main_metric, *others


def protocols(run: Run) -> tuple[str, ...]:
    """Every protocol of the run, the board's first."""
    return tuple(dict.fromkeys([run.protocol, *(score.protocol for score in run.scores)]))


def score_table(run: Run) -> tuple[ScoreRow, ...]:
    """Every metric that is not of a group, under every protocol."""
    metrics = dict.fromkeys([run.main_metric, *(score.metric for score in run.scores)])
    return tuple(
        ScoreRow(metric, tuple(run.score(metric, p) for p in protocols(run)))
        for metric in metrics
        if not any(metric.endswith(_suffixes(groups)) for *_, groups in _GROUPS)
    )


def group_tables(run: Run) -> tuple[GroupTable, ...]:
    """A table for every kind of group the run has scores of."""
    found = []
    for key, title, caption, groups in _GROUPS:
        bases = dict.fromkeys(
            (score.metric.partition("[")[0], score.protocol)
            for score in run.scores
            if score.metric.endswith(_suffixes(groups))
        )
        rows = tuple(
            (metric, protocol, _across(run, metric, protocol, groups)) for metric, protocol in bases
        )
        if rows:
            found.append(GroupTable(key, title, caption, (*groups, "all"), rows))
    return tuple(found)


def _across(
    run: Run, metric: str, protocol: str, groups: Sequence[str]
) -> tuple[Score | None, ...]:
    names = (*(f"{metric}[{group}]" for group in groups), metric)
    return tuple(run.score(name, protocol) for name in names)


def _suffixes(groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"[{group}]" for group in groups)
