"""Copies of the golden PAM checkpoint that are laid out otherwise, or damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from adapters.interface import CheckpointError
from adapters.pam.adapter import PamRecognizer
from tests.adapters import pam_goldens as golden
from tests.adapters.pam_goldens import load

Tensors = dict[str, torch.Tensor]


def copied(place: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(golden.CHECKPOINT, place / "copy"))


@cache
def weights() -> Mapping[str, torch.Tensor]:
    found: Mapping[str, torch.Tensor] = golden.golden().model.state_dict()
    return found


def write(folder: Path, tensors: Tensors) -> None:
    """Replace the shards by one file."""
    for path in folder.glob("model*"):
        path.unlink()
    save_file({k: t.contiguous().clone() for k, t in tensors.items()}, folder / "model.safetensors")


def without(tensors: Tensors, *prefixes: str) -> Tensors:
    return {name: t for name, t in tensors.items() if not name.startswith(prefixes)}


def change_json(path: Path, **changes: Any) -> None:
    """Set fields; ``None`` removes one."""
    fields = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def refusal(folder: Path | str, **settings: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder, **settings)
    return str(caught.value)


def assert_same_weights(recognizer: PamRecognizer) -> None:
    found = recognizer.model.state_dict()
    assert found.keys() == weights().keys()
    different = [name for name in found if not torch.equal(found[name], weights()[name])]
    assert different == []
