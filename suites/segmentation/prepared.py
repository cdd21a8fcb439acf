"""Which preparation made a set's pictures: a note beside them tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from suites.base import DataInvalid
from suites.segmentation.locate import look_for
from suites.segmentation.sets import MaskSet, Preparation


def begin(preparation: Preparation, home: Path, pictures: Sequence[Path]) -> None:
    """Leave the note that this preparation makes the pictures.

    Raises:
        DataInvalid: some are there that another preparation, or another tool, has made; the two
            must not be mixed.
    """
    note = home / preparation.note
    if _is_of(preparation, note):
        return
    if any(path.is_file() for path in pictures):
        raise DataInvalid(f"{_unmarked(preparation, note)}; delete {note.parent} and start again")
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"preparation": preparation.version}) + "\n", encoding="ascii")


def trouble(masks: MaskSet, root: Path) -> str | None:
    """What is wrong with who made the set's pictures, if there are any and something is."""
    if masks.preparation is None:
        return None
    found = look_for(root, masks.homes, masks.pictures)
    if found is None:
        return None
    note = found.home / masks.preparation.note
    return None if _is_of(masks.preparation, note) else _unmarked(masks.preparation, note)


def edition(masks: MaskSet, root: Path) -> str:
    """The set's version; pictures that another preparation made are a version of their own."""
    version = masks.card.version
    return version if trouble(masks, root) is None else f"{version}+unmarked"


def _is_of(preparation: Preparation, note: Path) -> bool:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(content == {"preparation": preparation.version})


def _unmarked(preparation: Preparation, note: Path) -> str:
    return (
        f"the pictures in {note.parent} are not marked as made by preparation "
        f"{preparation.version}: an earlier one, {preparation.earlier}, or another tool made them"
    )
