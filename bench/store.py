"""The run store: ``<root>/<suite>/<model>/<run id>/`` with a manifest, answers and scores.

Answers are only ever appended, as whole Parquet files: a process killed at any moment leaves
either a part or no part. Whoever writes holds the run's lock.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import records
from bench.atomic import clear_temporaries, write_bytes, write_json
from bench.errors import RunLocked, StoreError
from bench.manifest import FILE_NAME, Manifest, read_manifest
from bench.records import AnswerRow

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run's folder."""

    folder: Path

    @classmethod
    def at(cls, root: Path, suite: str, model: str, run_id: str) -> StoredRun:
        """The run of that name under ``root``, whether it exists or not."""
        return cls(root / suite / model / run_id)

    @property
    def name(self) -> str:
        """``<suite>/<model>/<run id>``."""
        return "/".join(self.folder.parts[-3:])

    @property
    def exists(self) -> bool:
        """Whether anything was stored: the manifest is written before the first answer."""
        return self.manifest_path.is_file()

    @property
    def log_path(self) -> Path:
        """What the model itself said, where it keeps a log."""
        return self.folder / "logs" / "model.log"

    @property
    def manifest_path(self) -> Path:
        """Where the manifest lies."""
        return self.folder / FILE_NAME

    @property
    def scores_folder(self) -> Path:
        """Where scorings lie, one folder each."""
        return self.folder / "scores"

    def manifest(self) -> Manifest:
        """The stored manifest, brought up to date."""
        return read_manifest(self.manifest_path)

    def parts(self) -> list[Path]:
        """Files of answers, oldest first."""
        return sorted(self._answers_folder.glob("part-*.parquet"))

    def answers(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The last word on every region, sorted by region id: the same bytes however it came.

        Args:
            columns: the columns to read, ``region_id`` among them; default: all.

        Raises:
            StoreError: a part is damaged.
        """
        return records.settle(records.read_parts(self.parts(), columns))

    def answered(self) -> dict[str, str]:
        """Identity of the final answer of every region that has one, by region id."""
        final = records.final(self.answers(("region_id", "identity", "status")))
        return dict(zip(final["region_id"], final["identity"], strict=True))

    @contextmanager
    def writing(self) -> Iterator[RunWriter]:
        """Hold the run's lock and write to it.

        Raises:
            RunLocked: another process is writing the run.
            StoreError: the folder cannot be made.
        """
        try:
            self._answers_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"run folder {self.folder} cannot be made: {error}") from error
        with _locked(self.folder / "lock", self.name):
            scorings = self.scores_folder.glob("*/")
            for folder in (self.folder, self._answers_folder, *scorings):
                clear_temporaries(folder)
            yield RunWriter(self)

    @property
    def _answers_folder(self) -> Path:
        return self.folder / "answers"


class RunWriter:
    """Appends to a run; only :meth:`StoredRun.writing` makes one."""

    def __init__(self, run: StoredRun) -> None:
        self.run = run
        parts = run.parts()
        self._next = int(parts[-1].stem.removeprefix("part-")) + 1 if parts else 0

    def append(self, rows: Sequence[AnswerRow]) -> None:
        """Store rows as one new part.

        Raises:
            StoreFull: no room left; no part is lost or half written.
        """
        path = self.run.folder / "answers" / f"part-{self._next:06d}.parquet"
        write_bytes(path, records.encode(rows))
        self._next += 1

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest."""
        write_json(self.run.manifest_path, manifest.values())


def stored_runs(root: Path) -> list[StoredRun]:
    """Every run under ``root`` that has a manifest, sorted by name."""
    return [StoredRun(path.parent) for path in sorted(root.glob(f"*/*/*/{FILE_NAME}"))]


def find_runs(root: Path, names: Sequence[str]) -> list[StoredRun]:
    """The stored runs whose name is or begins with one of ``names``; all where none is given.

    Raises:
        StoreError: a name fits no run.
    """
    runs = stored_runs(root)
    for name in names:
        if not any(_begins(run, name) for run in runs):
            stored = ", ".join(run.name for run in runs) or "none"
            raise StoreError(f"no stored run under {root} is called {name!r}; stored: {stored}")
    return [run for run in runs if not names or any(_begins(run, name) for name in names)]


def _begins(run: StoredRun, name: str) -> bool:
    return f"{run.name}/".startswith(f"{name.rstrip('/')}/")


@contextmanager
def _locked(path: Path, run: str) -> Iterator[None]:
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RunLocked(
                f"run {run} is being written by {file.read().strip() or 'another process'}; "
                "wait for it, or stop it and start again"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
