"""Which run is gated against which entry of the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.config import Config
from bench.errors import ConfigError
from bench.gating.baselines import Against
from bench.gating.checks import Check, Kind, Verdict
from bench.gating.entries import Entry, find_entries, latest_entry


class Pair(NamedTuple):
    """A baseline's entry and its run."""

    entry: Entry
    run: Entry

    @property
    def name(self) -> str:
        """Such as ``tiny-sm on shapes``, or of two models ``new against old on shapes``."""
        if self.entry.table.model == self.run.table.model:
            return self.run.name
        return f"{self.run.table.model} against {self.entry.name}"

    @property
    def model(self) -> str:
        """The model that is gated."""
        return self.run.table.model

    def standing(self) -> Check:
        """Whether both are complete and alike; only then their scores are compared."""
        entry, run = self.entry, self.run
        verdict, reason = Verdict.INCOMPLETE, run.shortcoming
        if entry.shortcoming:
            reason = f"the baseline is incomplete: {entry.shortcoming}"
        if not reason:
            reason = entry.unlike(run)
            verdict = Verdict.NOT_COMPARABLE if reason else Verdict.PASS
        return Check(Kind.COMPLETENESS, self.name, "completeness", verdict, reason)


class Lonely(NamedTuple):
    """An entry without a run, or a run without an entry; ``reason`` says how to mend it."""

    name: str
    model: str
    reason: str

    def standing(self) -> Check:
        """Nothing of it can be compared."""
        return Check(Kind.COMPLETENESS, self.name, "completeness", Verdict.INCOMPLETE, self.reason)


def pair_up(config: Config, against: Against, named: Sequence[str]) -> list[Pair | Lonely]:
    """The runs beside their entries, by suite and model.

    Without names, every entry is beside its latest run. A named run whose model the baseline does
    not have is beside the only entry of its suite. A model's name alone stands for all of its
    entries, and stored runs as a baseline are all meant.

    Raises:
        ConfigError: a run is its own baseline.
        StoreError: a named run does not exist, or something stored cannot be read.
    """
    entries = against.baseline.entries
    if not named:
        found = {key: latest_entry(config, *key) for key in sorted(entries)}
        return [_pair(against, entries[key], run) for key, run in found.items()]
    runs = {run.table.run: run for name in named for run in find_entries(config, name)}
    beside = [(_entry_of(run, entries), run) for run in runs.values()]
    had = {entry.pair for entry, _ in beside if entry is not None}
    models = {name.strip("/") for name in named}
    missed = [
        entry
        for key, entry in sorted(entries.items())
        if key not in had and (entry.table.model in models or not against.file)
    ]
    return [
        *(_pair(against, entry, run) for entry, run in beside),
        *(_pair(against, entry, None) for entry in missed),
    ]


def _entry_of(run: Entry, entries: Mapping[tuple[str, str], Entry]) -> Entry | None:
    if run.pair in entries:
        return entries[run.pair]
    of_suite = [entry for entry in entries.values() if entry.table.called == run.table.called]
    return of_suite[0] if len(of_suite) == 1 else None


def _pair(against: Against, entry: Entry | None, run: Entry | None) -> Pair | Lonely:
    if entry is not None and run is not None:
        if not against.file and entry.table.run == run.table.run:
            raise ConfigError(
                f"{run.table.run} is both the baseline and the run; name another with --run"
            )
        return Pair(entry, run)
    if entry is not None:
        reason = "there is no run of it; `bench run` makes one"
        return Lonely(entry.name, entry.table.model, reason)
    assert run is not None
    reason = "the baseline has no entry of it; `bench baseline update` adds one"
    return Lonely(run.name, run.table.model, reason)
