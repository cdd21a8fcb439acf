"""Converting many files: in several processes, with progress, going on where it stopped."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import PIL.Image

from suites.registry import Prepared, Progress
from suites.segmentation.ordered_pool import ordered_map, processes_for

_ITEMS_PER_CHUNK = 4


class Conversion(Protocol):
    """One item to convert; it can be handed to another process."""

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files it makes."""
        ...

    def convert(self) -> None:
        """Make them, each whole or not at all.

        Raises:
            DataMissing: a published file is not there.
            DataInvalid: a published file is of another form.
        """
        ...


def convert_all(
    conversions: Sequence[Conversion], folder: Path, step: str, progress: Progress
) -> Prepared:
    """Convert what has not been converted yet.

    Args:
        conversions: the items.
        folder: where their files go, for the report.
        step: says what is done, in a plural noun.
        progress: told after every few items.
    """
    todo = [item for item in conversions if not all(path.is_file() for path in item.outputs)]
    for parent in sorted({path.parent for item in todo for path in item.outputs}):
        parent.mkdir(parents=True, exist_ok=True)
    done = kept = len(conversions) - len(todo)
    progress(step, done, len(conversions))
    chunks = [todo[i : i + _ITEMS_PER_CHUNK] for i in range(0, len(todo), _ITEMS_PER_CHUNK)]
    for count in ordered_map(_convert, chunks, processes=processes_for(len(todo))):
        done += count
        progress(step, done, len(conversions))
    return Prepared(folder, made=done - kept, kept=kept)


def save_picture(pixels: Any, path: Path) -> None:
    """Write an array as a picture, in the form its suffix names: whole or not at all."""
    aside = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        PIL.Image.fromarray(pixels).save(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _convert(chunk: Sequence[Conversion]) -> int:
    for item in chunk:
        item.convert()
    return len(chunk)
