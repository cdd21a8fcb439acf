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


def fill(cache: Path, goldens: Path, *models: str) -> None:
    """Put the golden checkpoints of ``models`` under their Hub ids into the folder ``cache``."""
    for model in models:
        fixture, inner = MODELS[model]
        repository = cache / f"models--{published_id(model).replace('/', '--')}"
        shutil.copytree(
            goldens / fixture / "checkpoint", repository / "snapshots" / REVISION / inner
        )
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(REVISION)
