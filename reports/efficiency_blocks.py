"""The parts of the efficiency page: charts, the table under them, and the data beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from reports import formatting
from reports.efficiency_groups import ALONE, TOGETHER, AnyGroup, Curve, Group, Point, in_tiles
from reports.efficiency_lines import STYLES, Style
from reports.efficiency_records import Cost, Speed
from reports.export import Cell

WAYS = {TOGETHER: "all regions in one query", ALONE: "one region a query"}


class Figure(NamedTuple):
    """One chart and its data, as rows of equal columns; ``name`` is its files' stem."""

    name: str
    title: str
    svg: Markup
    remark: str
    data: Sequence[Mapping[str, Cell]]


class Entry(NamedTuple):
    """A table's cell: the number and the lines that stand small below it."""

    lead: str
    small: tuple[str, ...] = ()
    absent: bool = False


class Row(NamedTuple):
    """One curve's line in a table; ``series`` is its ink in the charts above."""

    label: str
    small: str
    series: str
    cells: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Charts beside each other and the table of every number in them."""

    key: str
    title: str
    note: str
    figures: tuple[Figure, ...]
    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]


class Looks:
    """The style of every curve of a sweep: the same in all of its charts."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._labels = sorted(set(labels))

    def of(self, group: Group[Point]) -> dict[Curve, Style | None]:
        """A style per curve; ``None`` where a way has more curves than there are styles."""
        looks: dict[Curve, Style | None] = {}
        for way in WAYS:
            for at, curve in enumerate(group.of(way)):
                known = self._labels.index(group.labels[curve])
                index = known if len(self._labels) <= len(STYLES) else at
                looks[curve] = STYLES[index] if index < len(STYLES) else None
        return looks


def series_of(style: Style | None) -> str:
    """``"s3"``, as the style sheet names it."""
    return "" if style is None else style.ink.removeprefix("var(--").removesuffix(")")


def rows_of(
    group: Group[Point], looks: Mapping[Curve, Style | None], cells: Mapping[Curve, Sequence[Entry]]
) -> tuple[Row, ...]:
    """A row per curve, those that ask together first."""
    return tuple(
        Row(
            group.labels[curve],
            "; ".join(described(curve)),
            series_of(looks[curve]),
            tuple(cells[curve]),
        )
        for way in WAYS
        for curve in group.of(way)
    )


def described(curve: Curve) -> list[str]:
    """How a curve was asked, in words."""
    subject, way = curve
    told = [WAYS.get(way, way)]
    if subject.mode:
        told.append(subject.mode)
    told.append(subject.dtype + (", random weights" if subject.random_weights else ""))
    return told


def made_of(group: AnyGroup) -> list[str]:
    """What every chart of a group must say below its title."""
    question = group.question
    tiles = f", {in_tiles(group.cut)}" if group.cut else ""
    length = (
        f"{question.tokens} tokens a region"
        if question.decode == "forced"
        else f"natural stop, at most {question.tokens} tokens"
    )
    asked = f"{question.width}×{question.height} picture{tiles}; {length}"
    subjects = {curve.subject for curve in group.curves}
    dtypes = ", ".join(sorted({subject.dtype for subject in subjects}))
    random = sorted({s.model for s in subjects if s.random_weights})
    if len(random) == len({subject.model for subject in subjects}):
        weights = "random weights"
    else:
        weights = f"random weights: {', '.join(random)}" if random else "trained weights"
    return [part for part in (question.hardware, f"{asked}; {dtypes}, {weights}") if part]


def quick_ones(points: Iterable[tuple[str, Speed]]) -> str:
    """Which speeds of a chart are quick measurements: they show a curve's shape and no more."""
    measured = [(label, point) for label, point in points if point.measured]
    quick: dict[str, list[str]] = {}
    for label, point in measured:
        if point.effort == "quick":
            quick.setdefault(label, []).append(str(point.instances))
    if measured and sum(map(len, quick.values())) == len(measured):
        return "Quick measurements."
    alike: dict[str, list[str]] = {}
    for label, instances in quick.items():
        alike.setdefault(", ".join(instances), []).append(label)
    everyone = {label for label, _ in measured}
    told = "; ".join(
        f"{'all models' if 1 < len(labels) == len(everyone) else ', '.join(labels)} at N = {which}"
        for which, labels in alike.items()
    )
    return f"Quick measurement: {told}." if told else ""


def identity(label: str, point: Cost | Speed) -> dict[str, Cell]:
    """The columns that every row of data begins with."""
    subject, question = point.subject, point.question
    return {
        "sweep": question.sweep,
        "curve": label,
        "model": subject.model,
        "adapter": subject.adapter,
        "revision": subject.revision,
        "way": point.way,
        "mode": subject.mode,
        "settings": subject.settings,
        "prompt": subject.prompt,
        "dtype": subject.dtype,
        "checkpoint": subject.checkpoint,
        "random_weights": subject.random_weights,
        "parameters": subject.parameters,
        "hardware": question.hardware,
        "width": question.width,
        "height": question.height,
        "tiles": subject.tiles,
        "region_tokens": subject.region_tokens,
        "decode": question.decode,
        "tokens": question.tokens,
        "instances": point.instances,
    }


def significant(value: float) -> str:
    """Three significant figures: ``0.0123``, ``4.56``, ``1,230``."""
    if value == 0:
        return "0"
    if abs(value) >= 999.5:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def facts(group: AnyGroup) -> list[str]:
    """Per model: parameters, adapter, checkpoint, settings and prompt, once."""
    told = dict.fromkeys(
        f"{curve.subject.model}: {_size(curve.subject.parameters)}{curve.subject.adapter}"
        f", {curve.subject.checkpoint}"
        f"{f' ({curve.subject.settings})' if curve.subject.settings else ''}"
        f"{f', asked “{curve.subject.prompt}”' if curve.subject.prompt else ''}"
        for curve in group.curves
    )
    return list(told)


def _size(parameters: int | None) -> str:
    return f"{formatting.parameters(parameters)} parameters, " if parameters else ""
