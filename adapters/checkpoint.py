"""Checkpoints shared by every adapter: finding, digesting and checking weights.

Weights come from safetensors, or from PyTorch ``.bin`` files read with ``weights_only``; nothing
that could run code is ever opened.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from adapters.interface import CheckpointError

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
)
_REFUSED = ("*.pt", "*.pth", "*.pkl", "*.ckpt", "*.pickle", "*.npz")
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on disk.

    ``name`` is what a reader knows it by: the Hub id, or the folder's own name. ``weights`` are
    its weight files, sorted by name, all of one format.
    """

    name: str
    folder: Path
    weights: tuple[Path, ...]

    def digest(self) -> str:
        """SHA-256 over the configuration, tokenizer and weight files: names and contents.

        The same files give the same digest wherever the folder lies.
        """
        others = [self.folder / name for name in ("config.json", *TOKENIZER_FILES)]
        whole = hashlib.sha256()
        for path in sorted({*self.weights, *(p for p in others if p.is_file())}):
            with path.open("rb") as file:
                contents = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{path.name} {contents}\n".encode())
        return whole.hexdigest()

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors by name, on the CPU, in the types they are stored in.

        Raises:
            CheckpointError: a file is damaged, is a pickle of something other than tensors, or
                two files hold the same name.
        """
        found: dict[str, torch.Tensor] = {}
        for path in self.weights:
            tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_bin(path)
            twice = sorted(found.keys() & tensors.keys())
            if twice:
                raise CheckpointError(
                    f"{self.name}: {path.name} repeats {len(twice)} tensors of another file, "
                    f"such as {twice[0]!r}; remove the file that does not belong"
                )
            found.update(tensors)
        return found


def find_checkpoint(source: str | Path, revision: str | None = None) -> Checkpoint:
    """Locate a checkpoint's weights.

    Args:
        source: an existing folder, or a Hugging Face Hub id ``owner/name``, which is downloaded
            into the Hub's own cache.
        revision: branch, tag or commit of a Hub id.

    Raises:
        CheckpointError: there is no such folder, the Hub cannot give it, or it holds no weights
            in an accepted format.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        name = folder.resolve().name
    elif isinstance(source, str) and _is_hub_id(source):
        name, folder = source, _download(source, revision)
    else:
        raise CheckpointError(
            f"no checkpoint at {str(source)!r}: expected a folder that exists, "
            "or a Hugging Face Hub id 'owner/name'"
        )
    return Checkpoint(name, folder, _weight_files(folder, name))


def _is_hub_id(source: str) -> bool:
    owner, slash, name = source.partition("/")
    return bool(slash and owner and name) and "/" not in name and owner not in (".", "..", "~")


def _download(hub_id: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def download(*patterns: str) -> Path:
        return Path(
            snapshot_download(hub_id, revision=revision, allow_patterns=["*.json", *patterns])
        )

    try:
        folder = download("merges.txt", "*.safetensors")
        # Repositories that have both would cost twice the time and space.
        return folder if any(folder.glob("*.safetensors")) else download("*.bin")
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"{hub_id!r} is neither a folder here nor in the local Hub cache, and the Hugging "
            "Face Hub cannot be reached (or HF_HUB_OFFLINE is set): download it on a connected "
            "machine and give the folder"
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise CheckpointError(
            f"{hub_id!r} (revision {revision or 'main'}) could not be had from the Hub: {error}"
        ) from error


def _weight_files(folder: Path, name: str) -> tuple[Path, ...]:
    for pattern in ("*.safetensors", "*.bin"):
        # Other programs' leftovers, such as training_args.bin, are not weights.
        files = sorted(p for p in folder.glob(pattern) if not p.name.startswith("training_args"))
        if files:
            return tuple(files)
    refused = sorted(path.name for pattern in _REFUSED for path in folder.glob(pattern))
    if refused:
        raise CheckpointError(
            f"{name}: only {', '.join(refused[:_LISTED])} here; pickled weights are refused "
            "because opening one can run code. Convert it to model.safetensors"
        )
    raise CheckpointError(f"{name}: no *.safetensors (nor *.bin) weights in the checkpoint")


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is not a whole safetensors file ({error}); copy it again"
        ) from error


def _read_bin(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{path.name} holds more than plain tensors, or is damaged, and was not opened; "
            "convert it to model.safetensors"
        ) from error
    if not isinstance(loaded, dict) or not all(
        isinstance(t, torch.Tensor) for t in loaded.values()
    ):
        raise CheckpointError(f"{path.name} is not a mapping of names to tensors")
    return loaded


def check_tensors(
    checkpoint: str,
    found: Mapping[str, torch.Tensor],
    expected: Mapping[str, Sequence[int]],
) -> None:
    """Refuse a checkpoint that is not exactly the expected tensors.

    Args:
        checkpoint: its name, for the message.
        found: tensors by official name.
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


def digest_of_preset(name: str, seed: int) -> str:
    """What stands for a checkpoint digest when the weights are random: the preset and its seed."""
    return hashlib.sha256(f"preset {name} seed {seed}".encode()).hexdigest()


def parameter_count(parameters: Iterable[torch.nn.Parameter]) -> int:
    """Numbers held by ``parameters``."""
    return sum(parameter.numel() for parameter in parameters)
