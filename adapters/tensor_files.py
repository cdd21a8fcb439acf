"""Weight files: safetensors, or PyTorch files read with ``weights_only``.

Nothing that could run code is ever opened.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from safetensors import SafetensorError, safe_open

from adapters.interface import CheckpointError

_STORED = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "BOOL": torch.bool,
    "U8": torch.uint8,
}

Value = TypeVar("Value")


class TensorInfo(NamedTuple):
    """What a file says of a tensor; ``dtype`` is ``None`` for a type no model here is stored in."""

    shape: tuple[int, ...]
    dtype: torch.dtype | None


def read_tensors(checkpoint: str, files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """All tensors by name, on the CPU, in the types they are stored in.

    Args:
        checkpoint: its name, for messages.
        files: ``.safetensors``, ``.bin`` or ``.pt``; a ``{"model": tensors}`` wrapper is undone.

    Raises:
        CheckpointError: a file is damaged, is a pickle of something other than tensors, or two
            files hold the same name.
    """

    def read(path: Path) -> dict[str, torch.Tensor]:
        if path.suffix != ".safetensors":
            return _read_pickled(path, "cpu")
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118

    return _merged(checkpoint, files, read)


def read_shapes(checkpoint: str, files: Sequence[Path]) -> dict[str, TensorInfo]:
    """Shapes and types of all tensors by name, from the files' headers.

    Raises:
        CheckpointError: as :func:`read_tensors`.
    """

    def read(path: Path) -> dict[str, TensorInfo]:
        if path.suffix != ".safetensors":
            found = _read_pickled(path, "meta")
            return {key: TensorInfo(tuple(t.shape), t.dtype) for key, t in found.items()}
        with safe_open(path, framework="pt", device="cpu") as file:
            slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
            return {
                key: TensorInfo(tuple(part.get_shape()), _STORED.get(part.get_dtype()))
                for key, part in slices.items()
            }

    return _merged(checkpoint, files, read)


def _merged(
    checkpoint: str, files: Sequence[Path], read: Callable[[Path], Mapping[str, Value]]
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for path in files:
        try:
            read_here = read(path)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{path.name} is not a whole {path.suffix[1:]} file ({error}); copy it again"
            ) from error
        twice = sorted(found.keys() & read_here.keys())
        if twice:
            raise CheckpointError(
                f"{checkpoint}: {path.name} repeats {len(twice)} tensors of another file, "
                f"such as {twice[0]!r}; remove the file that does not belong"
            )
        found.update(read_here)
    return found


def _read_pickled(path: Path, device: str) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{path.name} holds more than plain tensors, or is damaged, and was not opened; "
            "convert it to model.safetensors"
        ) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("model"), dict):
        loaded = loaded["model"]
    if not isinstance(loaded, dict) or not all(
        isinstance(t, torch.Tensor) for t in loaded.values()
    ):
        raise CheckpointError(f"{path.name} is not a mapping of names to tensors")
    return loaded
