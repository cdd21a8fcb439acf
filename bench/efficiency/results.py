"""What a sweep gives point by point, and which of it is stored already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.efficiency.records import Record
from bench.efficiency.storing import stored_record, write_record


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
        """Store a record.

        Raises:
            StoreError: it cannot be stored.
        """
        return Stored(write_record(self.folder, self.sweep, record), record, fresh=True)
