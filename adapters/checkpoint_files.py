"""Where a checkpoint's files are: in a folder, or on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from adapters.interface import CheckpointError, CheckpointMissing
from adapters.json_text import parse_json

_REFUSED = ("*.pt", "*.pth", "*.pkl", "*.ckpt", "*.pickle", "*.npz")
# Other programs' leftovers, and a vision tower that is published apart.
_NOT_WEIGHTS = ("training_args", "optimizer", "scheduler", "open_clip")
_SMALL_FILES = ("*.json", "*.txt", "*.model", "*.jinja")
_LISTED = 10

Found = TypeVar("Found")


def find_folder(source: str | Path, revision: str | None = None) -> tuple[str, Path]:
    """A checkpoint's name and folder, downloaded first where ``source`` is a Hub id.

    Args:
        source: an existing folder, or a Hugging Face Hub id ``owner/name``.
        revision: branch, tag or commit of a Hub id.

    Raises:
        CheckpointError: there is no such folder, or the Hub cannot give it.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder.resolve().name, folder
    if isinstance(source, str) and _is_hub_id(source):
        return source, _download(source, revision)
    raise CheckpointMissing(
        f"no checkpoint at {str(source)!r}: expected a folder that exists, "
        "or a Hugging Face Hub id 'owner/name'"
    )


def find_file(source: str | Path, file_name: str, revision: str | None = None) -> Path:
    """One file of a checkpoint.

    Args:
        source: the file itself, a folder that holds it, or a Hub id whose repository holds it.
        file_name: its name there.
        revision: branch, tag or commit of a Hub id.

    Raises:
        CheckpointError: there is no such file.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        if (path / file_name).is_file():
            return path / file_name
        raise CheckpointMissing(f"{path.name}: no {file_name} in this folder")
    if isinstance(source, str) and _is_hub_id(source):
        from huggingface_hub import hf_hub_download

        return Path(
            _ask_hub(
                source, revision, lambda: hf_hub_download(source, file_name, revision=revision)
            )
        )
    raise CheckpointMissing(
        f"no {file_name} at {str(source)!r}: expected the file, a folder that holds it, "
        "or a Hugging Face Hub id 'owner/name'"
    )


def weight_files(folder: Path, name: str) -> tuple[Path, ...]:
    """The weight files of a folder, sorted by name; safetensors where there are both formats.

    An index (``*.safetensors.index.json``) decides where there is one.

    Raises:
        CheckpointError: there are none in an accepted format, or a file the index names is
            missing.
    """
    for suffix in (".safetensors", ".bin"):
        for index in sorted(folder.glob(f"*{suffix}.index.json")):
            return _indexed(folder, name, index)
        files = sorted(folder.glob(f"*{suffix}"))
        files = [path for path in files if not path.name.startswith(_NOT_WEIGHTS)]
        if files:
            return tuple(files)
    refused = sorted(path.name for pattern in _REFUSED for path in folder.glob(pattern))
    if refused:
        raise CheckpointError(
            f"{name}: only {', '.join(refused[:_LISTED])} here; pickled weights are refused "
            "because opening one can run code. Convert it to model.safetensors"
        )
    raise CheckpointMissing(f"{name}: no *.safetensors (nor *.bin) weights in the checkpoint")


def _indexed(folder: Path, name: str, index: Path) -> tuple[Path, ...]:
    try:
        weight_map = parse_json(index.read_text(encoding="utf-8"))["weight_map"]
        files = sorted({str(file) for file in weight_map.values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{name}: {index.name} is not an index of weight files ({error}); copy it again"
        ) from error
    outside = [file for file in files if Path(file).name != file]
    if outside:
        raise CheckpointError(
            f"{name}: {index.name} names {outside[0]!r}, which is not a file name"
        )
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise CheckpointError(
            f"{name}: {len(missing)} of {len(files)} weight files named by {index.name} are "
            f"missing: {', '.join(missing[:_LISTED])}; download them again"
        )
    return tuple(folder / file for file in files)


def _is_hub_id(source: str) -> bool:
    owner, slash, name = source.partition("/")
    return bool(slash and owner and name) and "/" not in name and owner not in (".", "..", "~")


def _download(hub_id: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    def download(pattern: str) -> Path:
        patterns = [*_SMALL_FILES, pattern]
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=patterns))

    def safetensors_or_bin() -> Path:
        folder = download("*.safetensors")
        # Repositories that have both would cost twice the time and space.
        return folder if any(folder.rglob("*.safetensors")) else download("*.bin")

    return _ask_hub(hub_id, revision, safetensors_or_bin)


def _ask_hub(hub_id: str, revision: str | None, ask: Callable[[], Found]) -> Found:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return ask()
    except LocalEntryNotFoundError as error:
        raise CheckpointMissing(
            f"{hub_id!r} is neither a folder here nor in the local Hub cache, and the Hugging "
            "Face Hub cannot be reached (or HF_HUB_OFFLINE is set): download it on a connected "
            "machine and give the folder"
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise CheckpointError(
            f"{hub_id!r} (revision {revision or 'main'}) could not be had from the Hub: {error}"
        ) from error
