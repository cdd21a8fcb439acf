"""A checkpoint given to another model's adapter is recognised, and the right adapter named."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

import adapters
from adapters.interface import CheckpointError
from adapters.registry import adapter_for, entry

FIXTURES = {"wow-seg": "wow_seg", "osprey": "osprey", "pam": "pam", "dam": "dam"}


@pytest.mark.parametrize(("asked", "given"), itertools.permutations(FIXTURES, 2))
def test_another_models_checkpoint_names_its_adapter(asked: str, given: str, goldens: Path) -> None:
    checkpoint = goldens / FIXTURES[given] / "checkpoint"
    with pytest.raises(CheckpointError) as caught:
        adapters.load(asked, checkpoint, device="cpu")
    assert f"that is a checkpoint for the adapter {given!r}" in str(caught.value)


@pytest.mark.parametrize("adapter", FIXTURES)
def test_a_general_models_checkpoint_leads_to_the_general_adapter(
    adapter: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="that is a checkpoint for the adapter 'vlm'"):
        adapters.load(adapter, tmp_path, device="cpu")


@pytest.mark.parametrize("adapter", FIXTURES)
def test_an_unknown_models_checkpoint_is_refused(adapter: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(CheckpointError, match="model_type is 'gpt2', but") as caught:
        adapters.load(adapter, tmp_path, device="cpu")
    assert "adapter for" not in str(caught.value)


@pytest.mark.parametrize("adapter", FIXTURES)
def test_a_model_type_means_one_adapter(adapter: str) -> None:
    for model_type in entry(adapter).model_types:
        assert adapter_for(model_type) == adapter
    assert adapter_for("gpt2") is None
