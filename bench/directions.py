"""Which way a metric is better, known without loading a suite."""

from __future__ import annotations

from functools import cache

from suites.base import UnknownSuite
from suites.registry import entry


def higher_is_better(suite_kind: str, metric: str) -> bool:
    """Whether larger values of the suite's metric are better.

    A group's metric (``…[macro]``) goes the way of the metric itself. Of a suite that is no longer
    installed, larger is taken to be better.
    """
    return metric.partition("[")[0] not in _lower_is_better(suite_kind)


@cache
def _lower_is_better(suite_kind: str) -> frozenset[str]:
    try:
        return entry(suite_kind).lower_is_better
    except UnknownSuite:
        return frozenset()
