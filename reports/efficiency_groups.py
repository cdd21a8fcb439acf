"""Points that may stand in one chart, and what their curves are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from reports.efficiency_records import Cost, Question, Speed, Subject

TOGETHER, ALONE = "together", "alone"
_TOLD_APART_BY = (
    "settings",
    "dtype",
    "checkpoint",
    "checkpoint_digest",
    "region_tokens",
    "revision",
    "prompt",
)

Point = TypeVar("Point", Cost, Speed)


class Curve(NamedTuple):
    """A curve's subject and way; the same in every chart of its group."""

    subject: Subject
    way: str


@dataclass(frozen=True, slots=True)
class Group(Generic[Point]):
    """Points that share a question; ``tiles`` is empty where it need not be said.

    ``curves`` holds each curve's points by number of regions, in order of ``labels``.
    """

    question: Question
    tiles: str
    curves: Mapping[Curve, Mapping[int, Point]]
    labels: Mapping[Curve, str]

    def of(self, way: str) -> list[Curve]:
        """The curves of a way of asking."""
        return [curve for curve in self.curves if curve.way == way]

    @property
    def instances(self) -> list[int]:
        """All numbers of regions that were asked about."""
        return sorted({n for points in self.curves.values() for n in points})

    @property
    def points(self) -> list[tuple[str, Point]]:
        """Every point behind its curve's label."""
        return [
            (self.labels[curve], points[n])
            for curve, points in self.curves.items()
            for n in sorted(points)
        ]

    @property
    def cut(self) -> str:
        """The number of tiles of every model that cuts any; empty where they differ."""
        found = _tilings(self.curves)
        return found.pop() if len(found) == 1 else ""


AnyGroup = Group[Cost] | Group[Speed]


def groups(points: Iterable[Point]) -> list[Group[Point]]:
    """The points by question, and by the number of tiles where a model was asked with several.

    A model that cuts no tiles stands in each.
    """
    by_question: dict[Question, list[Point]] = defaultdict(list)
    for point in points:
        by_question[point.question].append(point)
    made = []
    for question in sorted(by_question, key=lambda asked: (-len(by_question[asked]), repr(asked))):
        own = by_question[question]
        tiles: dict[str, set[str]] = defaultdict(set)
        for point in own:
            tiles[point.subject.model].add(point.subject.tiles)
        if all(len(found - {""}) < 2 for found in tiles.values()):
            made.append(_group(question, "", own))
            continue
        for choice in sorted(set().union(*tiles.values()) - {""}, key=_most_tiles_first):
            shown = [point for point in own if point.subject.tiles in ("", choice)]
            made.append(_group(question, choice, shown))
    return made


def in_tiles(tiles: str) -> str:
    """``"12+1 tiles"``."""
    return f"{tiles} tile{'' if tiles == '1' else 's'}"


def _group(question: Question, tiles: str, points: Sequence[Point]) -> Group[Point]:
    found: dict[Curve, dict[int, Point]] = defaultdict(dict)
    for point in points:
        found[Curve(point.subject, point.way)][point.instances] = point
    labels = _labels(list(found))
    ordered = sorted(found, key=lambda curve: (labels[curve], curve.way != TOGETHER, repr(curve)))
    return Group(
        question,
        tiles,
        {curve: found[curve] for curve in ordered},
        {curve: labels[curve] for curve in ordered},
    )


def _labels(curves: Sequence[Curve]) -> dict[Curve, str]:
    """Model names, with the mode where a model has several and whatever else is needed.

    Models that cut their pictures differently say how.
    """
    differ = len(_tilings(curves)) > 1
    modes: dict[str, set[str]] = defaultdict(set)
    for subject, way in curves:
        if way == TOGETHER:
            modes[subject.model].add(subject.mode)
    several = {}
    for curve in curves:
        model, mode, tiles = curve.subject.model, curve.subject.mode, curve.subject.tiles
        named = f" · {mode}" if curve.way == TOGETHER and len(modes[model]) > 1 else ""
        cut = f" · {in_tiles(tiles)}" if differ and tiles else ""
        several[curve] = f"{model}{named}{cut}"
    return {curve: _told_apart(curve, several) for curve in curves}


def _tilings(curves: Iterable[Curve]) -> set[str]:
    return {curve.subject.tiles for curve in curves} - {""}


def _told_apart(curve: Curve, labels: Mapping[Curve, str]) -> str:
    same = [c for c in labels if (labels[c], c.way) == (labels[curve], curve.way)]
    for name in _TOLD_APART_BY:
        told = {getattr(other.subject, name) for other in same}
        if len(told) == len(same) > 1:
            return f"{labels[curve]} · {getattr(curve.subject, name)}"
    if len(same) > 1:
        return f"{labels[curve]} · {same.index(curve) + 1}"
    return labels[curve]


def _most_tiles_first(tiles: str) -> tuple[int, str]:
    count = tiles.partition("+")[0]
    return -int(count) if count.isdecimal() else 0, tiles
