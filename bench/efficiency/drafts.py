"""Points whose rounds are not all measured, kept so that a stopped sweep goes on between rounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.efficiency.measuring import Measured
from bench.efficiency.records import SpeedRecord
from bench.efficiency.storing import write_model
from bench.provenance import local_changes

SUFFIX = ".draft"  # nothing that reads records reads these

_OF_THE_HOUR = {"started", "load_seconds", "load_average", "foreign_processes", "warnings"}


class Draft(BaseModel):
    """What has been found of a point; ``point`` is its record without results.

    ``changes`` tells code apart that was not committed.
    """

    model_config = ConfigDict(extra="forbid")

    point: SpeedRecord
    changes: str | None
    found: Measured


def write_draft(path: Path, point: SpeedRecord, found: Measured) -> None:
    """Store what has been found of a point so far.

    Raises:
        StoreFull: there is no room.
        StoreError: the folder cannot be written.
    """
    write_model(path, Draft(point=point, changes=local_changes(), found=found))


def read_draft(path: Path, point: SpeedRecord) -> Draft | None:
    """What a stopped sweep found of a point in the same circumstances; ``None`` if nothing is left.

    Other code, another machine and other models in turn make other circumstances. A draft that
    cannot be read counts as none: all that is lost is measured again.
    """
    try:
        draft = Draft.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    same = _circumstances(draft.point) == _circumstances(point)
    return draft if same and draft.changes == local_changes() else None


def _circumstances(point: SpeedRecord) -> dict[str, Any]:
    told = point.model_dump(mode="json", exclude=_OF_THE_HOUR)
    told["hardware"].pop("host")  # a container has another name every time
    return told
