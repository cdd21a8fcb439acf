"""What a paper prints of the very checkpoint that was run here, and how far the two are apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from reports import published
from reports.published_table import decimals_of_tables
from reports.records import Run, real, text


class Printed(NamedTuple):
    """One published number, in points with the decimals of its table."""

    value: float
    decimals: int
    source: str
    table: str
    set: str
    protocol: str


class Counterpart(NamedTuple):
    """A published number beside a run's own; ``difference`` is ours minus theirs, in points.

    There is none where the run is over other regions than the published number.
    """

    printed: Printed
    difference: float | None

    @property
    def told(self) -> str:
        """Both in words: ``"published 89.7 (Table 1), +0.3"``."""
        value, decimals = self.printed.value, self.printed.decimals
        if self.difference is None:
            apart = "other set"
        else:
            rounded = round(self.difference, decimals)
            apart = f"{rounded:+.{decimals}f}" if rounded else f"±{0:.{decimals}f}"
        return f"published {value:.{decimals}f} ({self.printed.table}), {apart}"

    @property
    def caveat(self) -> str:
        """Where the number is printed, and of what."""
        printed = self.printed
        return f"{printed.source}: set {printed.set}, protocol {printed.protocol}, no interval"


_Method = tuple[str, float | None, str]


@dataclass(frozen=True, slots=True)
class Counterparts:
    """The published numbers of known checkpoints."""

    _methods: dict[str, tuple[_Method, ...]]
    _sets: frozenset[tuple[str, str, str]]
    _printed: dict[tuple[_Method, str, str], tuple[Printed, ...]]

    @classmethod
    def among(cls, rows: pd.DataFrame) -> Counterparts:
        """Those of the published rows that are about a checkpoint of the Hub."""
        methods: dict[str, list[_Method]] = defaultdict(list)
        for row in published.methods().to_dict("records"):
            methods[text(row["checkpoint"])].append(_method(row))
        decimals = decimals_of_tables(rows)
        printed: dict[tuple[_Method, str, str], list[Printed]] = defaultdict(list)
        for row in rows.to_dict("records"):
            value = real(row["value"])
            if value is None:
                continue
            source, table = text(row["source"]), text(row["table"])
            printed[_method(row), text(row["suite"]), text(row["metric"])].append(
                Printed(
                    value,
                    decimals[source, table],
                    source,
                    table,
                    text(row["set"]),
                    text(row["protocol"]),
                )
            )
        return cls(
            {checkpoint: tuple(known) for checkpoint, known in methods.items()},
            frozenset(
                (text(row["suite"]), text(row["set"]), text(row["suite_version"]))
                for row in published.sets().to_dict("records")
            ),
            {key: tuple(numbers) for key, numbers in printed.items()},
        )

    def of(self, run: Run, metric: str) -> Counterpart | None:
        """What is published of the run's checkpoint under ``metric``, the same set first.

        Nothing stands beside a run that is incomplete or over a part of its suite.
        """
        score = run.score(metric, run.protocol)
        if not run.full or score is None or score.value is None:
            return None
        found = [
            self._beside(run, score.value, printed)
            for method in self._methods.get(run.checkpoint, ())
            for printed in self._printed.get((method, run.suite, metric), ())
        ]
        return min(found, key=lambda one: one.difference is None, default=None)

    def _beside(self, run: Run, value: float, printed: Printed) -> Counterpart:
        # How polygons became masks, named after "+", changes no region.
        version = run.suite_version.partition("+")[0]
        same = (run.suite, printed.set, version) in self._sets
        return Counterpart(printed, value * 100 - printed.value if same else None)


def _method(row: Mapping[Hashable, object]) -> _Method:
    return text(row["method"]), real(row["params_b"]), text(row["variant"])
