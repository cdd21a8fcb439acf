"""The frames reports are made of: the only form in which runs enter this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

RUN_COLUMNS = (
    "run",  # "<suite>/<model>/<run id>", unique
    "suite",
    "suite_version",
    "model",
    "adapter",
    "checkpoint",
    "checkpoint_digest",
    "parameters",
    "base_model",
    "licence",
    "dtype",
    "device",
    "settings",  # short text such as "multi_instance=shared-prefix, scale=2"
    "main_metric",
    "protocol",
    "encoder",  # short text such as "all-MiniLM-L6-v2@c9745ed"
    "selection",  # "all 500 images" or "first 10 of 500 images"
    "full",  # bool: the selection is the whole suite
    "complete",  # bool: every region has a final answer
    "expected",
    "answered",
    "empty",
    "unanswerable",
    "errored",
    "missing",
    "started",  # ISO 8601, UTC
    "seconds",  # wall time of the predictions
    "certified",  # a value of reports.certified.Standing
    "certified_stage",  # where the difference was worst
    "certified_difference",  # the worst one; missing where two shapes differed
    "certified_tolerance",
    "certified_on",  # ISO 8601, UTC
)
SCORE_COLUMNS = ("run", "metric", "protocol", "value", "low", "high", "count")
PUBLISHED_COLUMNS = (
    "method",
    "year",
    "params_b",
    "variant",
    "suite",
    "metric",
    "value",
    "source",
    "table",
    "protocol",
    "set",
)


class ReportError(Exception):
    """A frame lacks a column, or the site's folder cannot be written; says which."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything one run's page shows.

    ``manifest`` is the stored manifest as JSON values; ``regions`` and ``categories`` are the
    score frames of ``suites.base.Scores`` (regions: ``region_id, image_id, category, reference,
    text, status`` and float columns ``metric/protocol``; categories: ``category, metric,
    protocol, value, count``).
    """

    run: str
    manifest: Mapping[str, object]
    regions: pd.DataFrame
    categories: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Board:
    """What a site is built from: runs, their scores (long form) and published rows.

    Raises:
        ReportError: a frame lacks one of its columns.
    """

    title: str
    runs: pd.DataFrame
    scores: pd.DataFrame
    published: pd.DataFrame
    pages: tuple[RunReport, ...]

    def __post_init__(self) -> None:
        for name, frame, columns in (
            ("runs", self.runs, RUN_COLUMNS),
            ("scores", self.scores, SCORE_COLUMNS),
            ("published", self.published, PUBLISHED_COLUMNS),
        ):
            lacking = [column for column in columns if column not in frame.columns]
            if lacking:
                raise ReportError(f"the {name} frame lacks the column {lacking[0]!r}")
