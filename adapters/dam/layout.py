"""The official checkpoint layout: a folder of parts, each with its own configuration and weights.

``nvidia/DAM-3B`` and ``nvidia/DAM-3B-Self-Contained`` share it; the code that the latter brings
along is never run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.checkpoint import Checkpoint, check_model_type, expect_fields, find_part, read_json
from adapters.checkpoint_files import find_folder
from adapters.dam.settings import ADAPTER
from adapters.interface import CheckpointError

LANGUAGE = "llm"
VISION = "vision_tower"
PROJECTOR = "mm_projector"
CONTEXT = "context_provider"


@dataclass(frozen=True, slots=True)
class Layout:
    """A checkpoint's folder, the name a reader knows it by, and its own ``config.json``."""

    name: str
    folder: Path
    root: Mapping[str, Any]

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts, and so the sub-folders, that the configuration calls for.

        The paths it holds are those of the machine that trained the model, and mean nothing.
        """
        always = (LANGUAGE, VISION, PROJECTOR)
        return (*always, CONTEXT) if self.root.get(f"{CONTEXT}_cfg") else always

    def parts(self) -> dict[str, Checkpoint]:
        """Every part's weight files, by part.

        Raises:
            CheckpointError: a sub-folder is missing, or holds no weights.
        """
        return {part: find_part(self.folder, self.name, part) for part in self.part_names}

    def read(self, part: str, file: str = "config.json") -> dict[str, Any]:
        """A configuration file of a part.

        Raises:
            CheckpointError: it is missing or not JSON.
        """
        return read_json(self.folder / part / file)

    def read_if_there(self, part: str, file: str) -> dict[str, Any]:
        """The same of a file that not every checkpoint has; empty where it is missing."""
        return self.read(part, file) if (self.folder / part / file).is_file() else {}

    def digest(self) -> str:
        """SHA-256 over every part's configuration, tokenizer and weights."""
        parts = self.parts().values()
        weights = [path for part in parts for path in part.weights]
        small = [
            path
            for part in parts
            for pattern in ("*.json", "tokenizer.model")
            for path in part.folder.glob(pattern)
        ]
        return Checkpoint(self.name, self.folder, tuple(weights), tuple(small)).digest()


def find_layout(source: str | Path, revision: str | None = None) -> Layout:
    """Locate a checkpoint, which is a DAM by its root's ``config.json``.

    Args:
        source: an existing folder, or a Hugging Face Hub id ``owner/name``.
        revision: branch, tag or commit of a Hub id.

    Raises:
        CheckpointError: there is no such checkpoint, or it is another model's.
    """
    return read_layout(*find_folder(source, revision))


def read_layout(name: str, folder: Path) -> Layout:
    """The checkpoint called ``name`` in ``folder``; see :func:`find_layout`."""
    check_model_type(folder, name, ADAPTER)
    root = read_json(folder / "config.json")
    if f"{CONTEXT}_cfg" not in root:
        raise CheckpointError(
            f"{name}: config.json is a llava_llama's without {CONTEXT}_cfg, and so not a DAM's; "
            "is this another model's checkpoint?"
        )
    expect_fields(
        ADAPTER,
        f"{name}: config.json",
        root,
        {
            "mask_encoder_cfg": None,
            "mm_vision_select_feature": "cls_patch",
            "mm_use_im_start_end": False,
            "mm_use_im_patch_token": False,
            "image_aspect_ratio": "resize",
        },
    )
    return Layout(name, folder, root)


@contextmanager
def naming(file: str) -> Iterator[str]:
    """Name ``file`` where reading its fields fails.

    Raises:
        CheckpointError: for a field that is missing or of the wrong type.
    """
    try:
        yield file
    except KeyError as error:
        raise CheckpointError(f"{file}: field {error} is missing") from error
    except (TypeError, AttributeError) as error:
        raise CheckpointError(f"{file}: a field is of the wrong type: {error}") from error
