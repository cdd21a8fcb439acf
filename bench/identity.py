"""What makes two questions the same question, and two runs the same run.

An identity covers everything an answer may depend on and nothing else: not the device, a path,
the selection, or the version of the code (an adapter raises its ``revision`` instead).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.interface import RLE, AdapterCard, Generation, JsonScalar, Task
from suites.base import SuiteCard

if TYPE_CHECKING:
    import PIL.Image

RUN_ID_LENGTH = 16
MASK_SOURCE = "gt"


def digest(value: object) -> str:
    """SHA-256 of a JSON value written canonically: keys sorted, no blanks, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Asker:
    """The part of a question that does not depend on the region: who is asked, and how."""

    adapter: str
    revision: int
    checkpoint_digest: str
    task: Task
    prompt: str
    generation: Generation
    dtype: str
    settings: tuple[tuple[str, JsonScalar], ...]
    context_dependent: bool
    mask_source: str = MASK_SOURCE

    @classmethod
    def of(cls, card: AdapterCard, task: Task, generation: Generation) -> Asker:
        """The recognizer described by ``card``, asked for ``task``.

        A card without a prompt for the task has no identity: ``KeyError``.
        """
        return cls(
            adapter=card.name,
            revision=card.revision,
            checkpoint_digest=card.checkpoint_digest,
            task=task,
            prompt=card.prompts[task],
            generation=generation,
            dtype=card.dtype,
            settings=tuple(sorted(card.settings.items())),
            context_dependent=card.context_dependent,
        )

    @property
    def digest(self) -> str:
        """Hex digest of all fields."""
        return digest(asdict(self))


def run_id(asker: Asker, suite: SuiteCard, suite_digest: str) -> str:
    """Name of the run's folder: who is asked, and about which version of which suite."""
    return digest([asker.digest, suite.name, suite.version, suite_digest])[:RUN_ID_LENGTH]


def answer_identities(asker: Asker, picture: str, masks: Sequence[RLE]) -> list[str]:
    """One identity per region of an image.

    Args:
        asker: who is asked, and how.
        picture: digest of the picture's content; see :func:`picture_digest`.
        masks: the image's regions, in the query's order.
    """
    own = [digest([*mask.size, mask.counts]) for mask in masks]
    context = own if asker.context_dependent else []
    common = digest([asker.digest, picture, context])
    return [digest([common, mask]) for mask in own]


def picture_digest(path: Path) -> str | None:
    """SHA-256 of a picture file's bytes; ``None`` where there is no such file, nor can be."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # a name that no file can have, such as one with a NUL
        return None


def pixel_digest(image: PIL.Image.Image) -> str:
    """Digest of a picture that has no file: its mode, size and pixels."""
    header = f"{image.mode} {image.width} {image.height}\n".encode()
    return hashlib.sha256(header + image.tobytes()).hexdigest()
