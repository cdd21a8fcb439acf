"""What a sweep gives point by point, and which of it is stored already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.efficiency import drafts
from bench.efficiency.measuring import Measured
from bench.efficiency.records import Record, SpeedRecord
from bench.efficiency.storing import place, stored_record, write_record


@dataclass(frozen=True, slots=True)
class Stored:
    """A record of the sweep and its file; ``fresh`` if it was made just now."""

    path: Path
    record: Record
    fresh: bool

    @property
    def has_result(self) -> bool:
        """Whether the point holds a cost or a speed."""
        return self.record.outcome in ("computed", "measured")

    @property
    def failed(self) -> bool:
        """Whether the point is to be tried again next time."""
        return self.record.outcome == "failed"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something of the sweep that has no record, and why.

    ``lost`` is what should have one; the rest is not to be had.
    """

    reason: str
    lost: bool


Outcome = Stored | Skipped


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a sweep's records are; ``again`` does anew what is stored already."""

    folder: Path
    sweep: str
    again: bool

    def kept(self, blank: Record) -> Stored | None:
        """The stored record of a point; ``None`` where it is still to be made.

        Raises:
            StoreError: it cannot be read.
        """
        if self.again:
            return None
        found = stored_record(self.folder, self.sweep, blank)
        if found is None:
            return None
        stored = Stored(*found, fresh=False)
        return None if stored.failed else stored

    def store(self, record: Record) -> Stored:
        """Store a record, which ends its draft.

        Raises:
            StoreError: it cannot be stored.
        """
        path = write_record(self.folder, self.sweep, record)
        self._draft(record).unlink(missing_ok=True)
        return Stored(path, record, fresh=True)

    def begun(self, blank: SpeedRecord) -> drafts.Draft | None:
        """What a stopped sweep found of a point in the same circumstances.

        Also where points are done anew: a draft is of a sweep that was stopped since.
        """
        return drafts.read_draft(self._draft(blank), blank)

    def keep(self, blank: SpeedRecord, found: Measured) -> None:
        """Store what has been found of a point so far.

        Raises:
            StoreError: it cannot be stored.
        """
        drafts.write_draft(self._draft(blank), blank, found)

    def _draft(self, like: Record) -> Path:
        return place(self.folder, self.sweep, like).with_suffix(drafts.SUFFIX)
