"""One model's scores on one suite, as the gate compares them, from wherever they are kept."""

from __future__ import annotations

from dataclasses import dataclass

from bench.config import Config
from bench.gating.resamples import rounded
from bench.manifest import Manifest
from bench.run_names import find_runs
from bench.score_tables import ScoreTable, table_of
from bench.store import StoredRun, stored_runs
from bench.stored_scores import current_scores
from suites.base import Counts

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """Scores rounded as in a baseline file, and what they came from.

    ``kind`` is the suite's registered name, ``commit`` that of the code that answered, with a
    ``+`` where it had been changed since. A run whose answers are not scored as they stand is not
    ``scored`` and has an empty table; ``command`` goes on with it.
    """

    table: ScoreTable
    kind: str
    checkpoint_digest: str
    commit: str
    scored: bool = True
    command: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """The suite as it is called, and the model."""
        return self.table.called, self.table.model

    @property
    def name(self) -> str:
        """Such as ``tiny-sm on shapes``."""
        return f"{self.table.model} on {self.table.called}"

    @property
    def complete(self) -> bool:
        """Whether its scores are scores."""
        return self.scored and self.table.counts.complete

    @property
    def shortcoming(self) -> str:
        """Why it is not complete, and how to go on; empty where it is."""
        counts = self.table.counts
        if not self.scored:
            what = (
                f"its answers are not scored as they stand (`bench score {self.table.run}` does it)"
            )
        elif not counts.complete:
            what = (
                f"of {counts.expected:,} regions {counts.errored:,} errored and "
                f"{counts.missing:,} have no answer"
            )
        else:
            return ""
        return f"{what}; `{self.command}` goes on with it" if self.command else what

    def unlike(self, other: Entry) -> str:
        """Why scores of the two do not compare, in words; empty where they do."""
        mine, theirs = self.table, other.table
        unlike = mine.unlike(theirs)
        if not unlike and mine.images != theirs.images:
            return f"different selections: {mine.images:,} and {theirs.images:,} images"
        return unlike


def read_entry(run: StoredRun) -> Entry:
    """The entry of a stored run.

    Raises:
        StoreError: its manifest or its scores cannot be read.
    """
    manifest = run.manifest()
    found = current_scores(run, manifest)
    return Entry(
        table=_unscored(manifest) if found is None else rounded(table_of(manifest, *found)),
        kind=manifest.suite.kind,
        checkpoint_digest=manifest.model.checkpoint_digest,
        commit=_commit(manifest),
        scored=found is not None,
        command=manifest.command,
    )


def find_entries(config: Config, given: str) -> list[Entry]:
    """The entries of the stored runs that a name means.

    Raises:
        StoreError: it means none, or one cannot be read.
    """
    return [read_entry(run) for run in find_runs(config, given)]


def latest_entry(config: Config, suite: str, model: str) -> Entry | None:
    """The entry of the model's latest run on the suite, ``None`` where there is none.

    Raises:
        StoreError: it cannot be read.
    """
    name = f"{suite}/{model}"
    if not any(run.name.startswith(f"{name}/") for run in stored_runs(config.runs)):
        return None
    (entry,) = find_entries(config, name)
    return entry


def _unscored(manifest: Manifest) -> ScoreTable:
    regions = manifest.selection.regions
    return ScoreTable(
        run=manifest.run,
        model=manifest.model.name,
        suite=manifest.suite.name,
        called=manifest.suite.called,
        suite_version=manifest.suite.version,
        suite_digest=manifest.suite.digest,
        protocol=manifest.suite.protocol,
        main_metric=manifest.suite.main_metric,
        encoder_digest="",
        images=manifest.selection.images,
        counts=Counts(regions, 0, 0, 0, 0, regions),
        scores={},
    )


def _commit(manifest: Manifest) -> str:
    code = manifest.sessions[-1].code if manifest.sessions else None
    if code is None or code.commit is None:
        return ""
    return code.commit[:_DIGITS] + ("+" if code.dirty else "")
