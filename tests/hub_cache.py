"""A local Hub cache in which the published model ids lead to the golden checkpoints."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.config import PACKAGED, load_config

REVISION = "0" * 40
# Model of bench.yaml, its golden fixture, and where the files lie in the Hub repository.
MODELS = {
    "wow-seg": ("wow_seg", "."),
    "osprey-7b": ("osprey", "."),
    "osprey-chat-7b": ("osprey", "."),
    "pam-1.5b": ("pam", "PAM-1.5B"),
    "pam-3b": ("pam", "PAM-3B"),
    "dam-3b": ("dam", "."),
    "dam-3b-self-contained": ("dam", "."),
}


def published_id(model: str) -> str:
    """The Hub id that ``bench.yaml`` names for ``model``."""
    return str(load_config(PACKAGED).contents.models[model].checkpoint)


def snapshot(cache: Path, hub_id: str) -> Path:
    """A new folder for the files of a repository, where the Hub's cache keeps them."""
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    folder = repository / "snapshots" / REVISION
    folder.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    return folder


def fill(cache: Path, goldens: Path, *models: str) -> None:
    """Put the golden checkpoints of ``models`` under their Hub ids into the folder ``cache``."""
    for model in models:
        fixture, inner = MODELS[model]
        folder = snapshot(cache, published_id(model)) / inner
        shutil.copytree(goldens / fixture / "checkpoint", folder, dirs_exist_ok=True)
