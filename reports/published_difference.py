"""What a paper prints of the very checkpoint that was run here, and how far the two are apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from reports import published
from reports.board_labels import settings_of
from reports.families import suite_title
from reports.published_table import decimals_of_tables
from reports.records import Run, real, rows_of, text

ENCODER = "all-MiniLM-L6-v2"
"""What the protocols compare texts with."""


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

    There is none where the two are ``unlike``: of another set, settings or encoder.
    """

    printed: Printed
    unlike: tuple[str, ...]
    difference: float | None

    @property
    def told(self) -> str:
        """Both in words: ``"published 89.7 (Table 1), +0.3"``."""
        value, decimals = self.printed.value, self.printed.decimals
        if self.difference is None:
            apart = f"other {', '.join(self.unlike)}"
        else:
            rounded = round(self.difference, decimals)
            apart = f"{rounded:+.{decimals}f}" if rounded else f"±{0:.{decimals}f}"
        return f"published {value:.{decimals}f} ({self.printed.table}), {apart}"


_Method = tuple[str, float | None, str]


class _Known(NamedTuple):
    """A checkpoint's published rows, and the values of settings that they are of."""

    method: _Method
    settings: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Counterparts:
    """The published numbers of known checkpoints."""

    _methods: dict[str, tuple[_Known, ...]]
    _sets: frozenset[tuple[str, str, str]]
    _printed: dict[tuple[_Method, str, str], tuple[Printed, ...]]

    @classmethod
    def among(cls, rows: pd.DataFrame) -> Counterparts:
        """Those of the published rows that are about a checkpoint of the Hub."""
        methods: dict[str, list[_Known]] = defaultdict(list)
        for row in rows_of(published.methods()):
            settings = _values(text(row["settings"])).items()
            known = {name: frozenset(map(_figure, told.split("|"))) for name, told in settings}
            methods[text(row["checkpoint"])].append(_Known(_method(row), known))
        decimals = decimals_of_tables(rows)
        printed: dict[tuple[_Method, str, str], list[Printed]] = defaultdict(list)
        for row in rows_of(rows):
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
                for row in rows_of(published.sets())
            ),
            {key: tuple(numbers) for key, numbers in printed.items()},
        )

    def of(self, run: Run, metric: str) -> Counterpart | None:
        """What is published of the run's checkpoint under ``metric``, the most alike first.

        Nothing stands beside a run that is incomplete or over a part of its suite.
        """
        known = self._methods.get(run.checkpoint)
        if known is None or not run.full:
            return None
        score = run.score(metric, run.protocol)
        if score is None or score.value is None:
            return None
        found = [
            self._beside(run, score.value, printed, settings)
            for method, settings in known
            for printed in self._printed.get((method, run.suite, metric), ())
        ]
        return min(found, key=lambda one: len(one.unlike), default=None)

    def caveats(self, runs: Iterable[Run], metrics: Sequence[str]) -> tuple[str, ...]:
        """Of what the numbers beside these runs are, as far as their papers say."""
        told = dict.fromkeys(
            f"{suite_title(run.suite)}: {found.printed.source}, set {found.printed.set}, "
            f"protocol {found.printed.protocol}, no interval"
            for run in runs
            for metric in dict.fromkeys((run.main_metric, *metrics))
            if (found := self.of(run, metric))
        )
        return tuple(told)

    def _beside(
        self, run: Run, value: float, printed: Printed, settings: Mapping[str, frozenset[str]]
    ) -> Counterpart:
        # How polygons became masks, named after "+", changes no region; neither does " @…", which
        # tells a suite from another of that version.
        version = run.suite_version.partition(" @")[0].partition("+")[0]
        own = _values(run.settings)
        alike = {
            "set": (run.suite, printed.set, version) in self._sets,
            "settings": all(
                _figure(own[name]) in values for name, values in settings.items() if name in own
            ),
            "encoder": run.encoder.partition("@")[0] in ("", ENCODER),
        }
        unlike = tuple(name for name, same in alike.items() if not same)
        return Counterpart(printed, unlike, None if unlike else value * 100 - printed.value)


def _values(settings: str) -> dict[str, str]:
    pairs = (setting.partition("=") for setting in settings_of(settings))
    return {name: value for name, _, value in pairs}


def _figure(value: str) -> str:
    """A setting's value; numbers that are equal are written alike."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value


def _method(row: Mapping[str, object]) -> _Method:
    return text(row["method"]), real(row["params_b"]), text(row["variant"])
