"""Checkpoints shared by every adapter: digesting, checking and putting weights into models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from adapters.checkpoint_files import find_folder, weight_files
from adapters.interface import CheckpointError, CheckpointMissing
from adapters.json_text import parse_json
from adapters.random_weights import SCHEME
from adapters.registry import adapter_for, entry
from adapters.tensor_files import TensorInfo, read_shapes, read_tensors

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
)
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on disk.

    ``name`` is what a reader knows it by: the Hub id, or the folder's own name. ``weights`` are
    its weight files, sorted by name, all of one format; ``extra`` further files that outputs
    depend on, such as a vision tower that lies elsewhere.
    """

    name: str
    folder: Path
    weights: tuple[Path, ...]
    extra: tuple[Path, ...] = ()

    def digest(self) -> str:
        """SHA-256 over the configuration, tokenizer, weight and extra files: names and contents.

        The same files give the same digest wherever the folder lies. Files in sub-folders count
        with their path below the folder, those outside with their own name.
        """
        others = [self.folder / name for name in ("config.json", *TOKENIZER_FILES)]
        paths = {*self.weights, *self.extra, *(path for path in others if path.is_file())}
        whole = hashlib.sha256()
        # Two files may share a name: a tower of its own and the main weights, say.
        for name, path in sorted((_name_below(self.folder, path), path) for path in paths):
            with path.open("rb") as file:
                contents = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{name} {contents}\n".encode())
        return whole.hexdigest()

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors of the weight files; see :func:`~adapters.tensor_files.read_tensors`."""
        return read_tensors(self.name, self.weights)

    def shapes(self) -> dict[str, TensorInfo]:
        """Shapes and types of the weight files' tensors, without reading the tensors."""
        return read_shapes(self.name, self.weights)


def _name_below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def find_checkpoint(
    source: str | Path, revision: str | None = None, *, adapter: str | None = None
) -> Checkpoint:
    """Locate a checkpoint's weights.

    Args:
        source: an existing folder, or a Hugging Face Hub id ``owner/name``, which is downloaded
            into the Hub's own cache.
        revision: branch, tag or commit of a Hub id.
        adapter: which adapter it is for; another model's is refused.

    Raises:
        CheckpointError: there is no such folder, the Hub cannot give it, it is another model's,
            or it holds no weights in an accepted format.
    """
    name, folder = find_folder(source, revision)
    if adapter is not None:
        check_model_type(folder, name, adapter)
    return Checkpoint(name, folder, weight_files(folder, name))


def check_model_type(folder: Path, name: str, adapter: str) -> None:
    """Refuse a folder whose ``config.json`` is of a model that ``adapter`` is not for.

    Args:
        folder: the checkpoint.
        name: its name, for the message.
        adapter: the adapter's name.

    Raises:
        CheckpointError: names the adapter the checkpoint is for, where there is one; or the file
            is missing or damaged.
    """
    found, expected = read_model_type(folder), entry(adapter).model_types
    if found in expected:
        return
    other = owner_of(found)
    meant = f"; that is a checkpoint for the adapter {other!r}" if other else ""
    raise CheckpointError(
        f"{name}: config.json: model_type is {found!r}, but {adapter} has "
        f"{' or '.join(map(repr, expected))}{meant}"
    )


def read_model_type(folder: Path) -> str:
    """The ``model_type`` in the ``config.json`` of a folder, or of its one sub-folder that has one.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    path = folder / "config.json"
    inner = sorted(folder.glob("*/config.json"))
    # Some repositories hold one model in a sub-folder.
    if not path.is_file() and len(inner) == 1:
        path = inner[0]
    return str(read_json(path).get("model_type"))


def owner_of(model_type: str) -> str | None:
    """The adapter whose checkpoints have this ``model_type``; the generic one for many others."""
    own = adapter_for(model_type)
    generic = "vlm" if model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES else None
    return own or generic


def find_part(root: Path, name: str, part: str) -> Checkpoint:
    """A part of a checkpoint that lies in a sub-folder with its own ``config.json`` and weights.

    Args:
        root: the checkpoint's folder.
        name: its name.
        part: the sub-folder.

    Raises:
        CheckpointError: the sub-folder is missing or holds no weights.
    """
    folder = root / part
    if not folder.is_dir():
        raise CheckpointMissing(f"{name}: the sub-folder {part}/ is missing; copy it again")
    return Checkpoint(f"{name}/{part}", folder, weight_files(folder, f"{name}/{part}"))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that belongs to a checkpoint, such as its ``config.json``.

    Raises:
        CheckpointError: the file is missing or not a JSON object.
    """
    try:
        values = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointMissing(f"{path.parent.name}: no {path.name} in the checkpoint") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path}: expected a JSON object")
    return values


def expect_fields(
    adapter: str,
    file: str,
    raw: Mapping[str, Any],
    wanted: Mapping[str, Any],
    required: Mapping[str, Any] | None = None,
) -> None:
    """Refuse a configuration that would load but compute something else.

    Args:
        adapter: the adapter's name.
        file: what the configuration is called, for the message.
        raw: its fields.
        wanted: values of fields that may be missing.
        required: values of fields that may not.

    Raises:
        CheckpointError: names the field.
    """
    found = {**dict.fromkeys(required or {}), **raw}
    for field, value in {**(required or {}), **wanted}.items():
        if found.get(field, value) != value:
            raise CheckpointError(
                f"{file}: {field} is {found[field]!r}, but {adapter} computes {value!r}; "
                "is this another model's checkpoint?"
            )


def check_tensors(
    checkpoint: str,
    found: Mapping[str, torch.Tensor | TensorInfo],
    expected: Mapping[str, Sequence[int]],
) -> None:
    """Refuse a checkpoint that is not exactly the expected tensors.

    Args:
        checkpoint: its name, for the message.
        found: tensors, or what their files say of them, by official name.
        expected: shapes by official name.

    Raises:
        CheckpointError: lists missing, unexpected and wrongly shaped tensors.
    """
    problems = [
        _listing("missing", sorted(expected.keys() - found.keys())),
        _listing("unexpected", sorted(found.keys() - expected.keys())),
        _listing(
            "of the wrong shape",
            [
                f"{key} is {list(found[key].shape)}, expected {list(shape)}"
                for key, shape in sorted(expected.items())
                if key in found and tuple(found[key].shape) != tuple(shape)
            ],
        ),
    ]
    told = [problem for problem in problems if problem]
    if told:
        raise CheckpointError(
            f"{checkpoint}: the weights do not fit the model its config.json describes: "
            + "; ".join(told)
        )


def _listing(what: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    more = f", and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return f"{len(items)} {what}: {', '.join(items[:_LISTED])}{more}"


def renamed(name: str, table: Mapping[str, str]) -> str:
    """A parameter's name with its first parts replaced as ``table`` says.

    Raises:
        KeyError: the table has no entry for it.
    """
    for ours, official in table.items():
        if name == ours or name.startswith(f"{ours}."):
            return official + name.removeprefix(ours)
    raise KeyError(name)


def put_weights(
    model: nn.Module, state: dict[str, torch.Tensor], device: torch.device, dtype: torch.dtype
) -> None:
    """Replace every weight of a model built on the meta device.

    ``state`` is emptied on the way, so that no tensor is held twice. Buffers that are computed
    rather than stored are left to the caller; see :func:`adapters.language.restore_buffers`.
    """
    placed = {
        name: state.pop(name).to(device=device, dtype=dtype).contiguous() for name in list(state)
    }
    model.load_state_dict(placed, assign=True)


def digest_of_preset(name: str, seed: int) -> str:
    """What stands for a checkpoint digest when the weights are random: the preset and its seed."""
    text = f"preset {name} seed {seed} scheme {SCHEME}"
    return hashlib.sha256(text.encode()).hexdigest()


def parameter_count(parameters: Iterable[nn.Parameter]) -> int:
    """Numbers held by ``parameters``."""
    return sum(parameter.numel() for parameter in parameters)
