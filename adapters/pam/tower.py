"""Where the weights of SAM 2 come from: beside PAM's own, among them, or from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from adapters.checkpoint import Checkpoint
from adapters.checkpoint_files import find_file
from adapters.interface import CheckpointError
from adapters.pam.tower_names import video_only
from adapters.tensor_files import TensorInfo, read_shapes, read_tensors

AUTHORS_FILE = "sam2.1_hiera_large.pt"
TRANSFORMERS_FILE = "model.safetensors"
HUB_ID = "facebook/sam2.1-hiera-large"
INSIDE = "model.vision_tower.sam2_model_predictor."
"""What the names of SAM 2's tensors begin with in PAM's own files."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Tower:
    """Weights of SAM 2.

    ``source`` says where they are from, for people. ``file`` is ``None`` where they are among
    PAM's own.
    """

    source: str
    file: Path | None

    @property
    def kind(self) -> str:
        """Which copy it is, for the card; not where it lies: equal contents, equal answers."""
        return "a file of its own" if self.file else "inside the checkpoint"

    def shapes(self, inside: Mapping[str, TensorInfo]) -> dict[str, TensorInfo]:
        """Shapes of the image part's tensors; ``inside`` are those of PAM's own files."""
        return _image_part(read_shapes(self.source, [self.file]) if self.file else _own(inside))

    def tensors(self, inside: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The image part's tensors; ``inside`` are those of PAM's own files."""
        return _image_part(read_tensors(self.source, [self.file]) if self.file else _own(inside))


def _own(tensors: Mapping[str, Value]) -> dict[str, Value]:
    return {n.removeprefix(INSIDE): t for n, t in tensors.items() if n.startswith(INSIDE)}


def _image_part(tensors: Mapping[str, Value]) -> dict[str, Value]:
    return {name: tensor for name, tensor in tensors.items() if not video_only(name)}


def find_tower(checkpoint: Checkpoint, shapes: Mapping[str, TensorInfo], setting: str) -> Tower:
    """Choose the weights of SAM 2.

    In this order: those of the setting; the authors' file beside PAM's weights; those among
    PAM's own, which the authors' loader never reads but which are copies, the tower having been
    frozen; those of the Hub.

    Args:
        checkpoint: PAM's own.
        shapes: its tensors, by official name.
        setting: a file, a folder or a Hub id; nothing where it is empty.

    Raises:
        CheckpointError: there are none.
    """
    if setting:
        file = _find(setting)
        return Tower(file.name if Path(setting).expanduser().exists() else setting, file)
    beside = checkpoint.folder / AUTHORS_FILE
    if beside.is_file():
        return Tower(f"{AUTHORS_FILE} beside the checkpoint", beside)
    if any(name.startswith(INSIDE) for name in shapes):
        return Tower("inside the checkpoint", None)
    try:
        return Tower(HUB_ID, _find(HUB_ID))
    except CheckpointError as error:
        raise CheckpointError(
            f"{checkpoint.name}: no SAM 2 weights in the checkpoint. Put {AUTHORS_FILE} beside it, "
            f"or say where they are with the setting vision_tower: {error}"
        ) from error


def _find(source: str) -> Path:
    """The authors' file, or that of transformers where there is none."""
    try:
        return find_file(source, AUTHORS_FILE)
    except CheckpointError as error:
        try:
            return find_file(source, TRANSFORMERS_FILE)
        except CheckpointError:
            raise error from None
