"""A run's categories and regions as rows of its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from reports import formatting
from reports.drawing import Caption
from reports.export import Cell
from reports.histogram import histogram
from reports.records import Run, real, text, texts_of
from reports.region_values import ONE, own_metrics, worst_first
from reports.text import Excerpt, excerpt

WORST_ANSWERS = 50
MOST_CATEGORIES = 1000
"""A page with more than this many categories shows as many of the lowest and highest."""

REGION_COLUMNS = ("region_id", "image_id", "category", "reference", "text", "status")
CATEGORY_COLUMNS = ("category", "metric", "protocol", "value", "count")


class AnswerRow(NamedTuple):
    """One region: what was there, what the model said, and its scores by metric."""

    region_id: str
    image_id: str
    category: str
    reference: str
    text: str
    status: str
    values: tuple[float | None, ...]

    @property
    def shown(self) -> tuple[Excerpt, Excerpt]:
        """Reference and answer as a table cell can hold them."""
        return excerpt(self.reference), excerpt(self.text)

    @property
    def scored(self) -> bool:
        """Whether it has the score that rows are ordered by."""
        return bool(self.values) and self.values[0] is not None

    @property
    def full(self) -> bool:
        """Whether that score is 100 as pages print it."""
        score = self.values[0] if self.values else None
        return score is not None and round(score * ONE) >= ONE

    def cells(self) -> tuple[Cell, ...]:
        """The row for machines: ``REGION_COLUMNS``, then the scores."""
        *own, values = self
        return (*own, *values)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category's means by metric, and the regions they are over."""

    category: str
    count: int
    values: tuple[float | None, ...]

    def cells(self) -> tuple[Cell, ...]:
        """The row for machines."""
        return (self.category, self.count, *self.values)


def answer_rows(run: Run, frame: pd.DataFrame, metrics: Sequence[str]) -> Iterator[AnswerRow]:
    """Every region of the frame with its values of ``metrics``, worst first."""
    ordered = worst_first(run, frame)
    columns = [f"{metric}/{run.protocol}" for metric in metrics]
    values = [
        [real(value) for value in ordered[name].tolist()]
        if name in ordered.columns
        else [None] * len(ordered)
        for name in columns
    ]
    numbers = zip(*values, strict=True) if values else repeat((), len(ordered))
    return map(AnswerRow, *(texts_of(ordered[name]) for name in REGION_COLUMNS), numbers)


def category_rows(run: Run, frame: pd.DataFrame, metrics: Sequence[str]) -> list[CategoryRow]:
    """Every category with its means, lowest first."""
    means: dict[str, dict[str, float | None]] = {}
    counts: dict[str, int] = {}
    columns = (frame[name].tolist() for name in CATEGORY_COLUMNS)
    for category, metric, protocol, value, count in zip(*columns, strict=True):
        if protocol == run.protocol:
            means.setdefault(text(category), {})[text(metric)] = real(value)
            counts[text(category)] = int(real(count) or 0)
    rows = [
        CategoryRow(category, counts[category], tuple(values.get(m) for m in metrics))
        for category, values in means.items()
    ]
    return sorted(rows, key=lambda row: (_last_if_none(row.values[0]), row.category))


def both_ends(rows: list[CategoryRow]) -> list[CategoryRow]:
    """The rows, or the lowest and highest of very many."""
    half = MOST_CATEGORIES // 2
    return rows if len(rows) <= MOST_CATEGORIES else rows[:half] + rows[-half:]


def distribution(run: Run, frame: pd.DataFrame) -> Markup | None:
    """How many regions have which score; ``None`` where it is only right or wrong."""
    metrics = own_metrics(run, frame)
    values = frame[f"{metrics[0]}/{run.protocol}"].dropna().tolist() if metrics else []
    if not set(values) - {0.0, 1.0}:
        return None
    metric = formatting.words(metrics[0])
    perfect = sum(value >= 0.995 for value in values) / len(values)
    return histogram(
        values,
        Caption(
            "distribution",
            f"Regions by {metric}",
            f"{len(values)} regions; {perfect:.0%} of them at 99.5 points or more.",
        ),
        axis=f"{metric}, points",
    )


def _last_if_none(value: float | None) -> float:
    return float("inf") if value is None else value
