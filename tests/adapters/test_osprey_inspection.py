"""What is told of an Osprey checkpoint before it is loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.inspection import Finding, Inspection, Verdict
from adapters.interface import JsonScalar, SettingError
from adapters.osprey import ENTRY
from adapters.osprey.checkpoint import TOWER
from adapters.osprey.prompting import CATEGORY_PROMPT
from tests.adapters import osprey_goldens as golden

PARTS = ("vision tower", "projector", "mask extractor", "language model")
CLIP = "open_clip_pytorch_model.bin"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "copy"))


def inspect(folder: Path, **settings: JsonScalar) -> tuple[Inspection, dict[str, Finding]]:
    """The inspection, and its findings by subject."""
    inspection = ENTRY.inspect(folder, **settings)  # type: ignore[arg-type]
    return inspection, {finding.subject: finding for finding in inspection.findings}


def test_a_whole_checkpoint_is_complete_and_sized_as_it_loads() -> None:
    inspection, findings = inspect(golden.CHECKPOINT)
    assert inspection.complete
    assert set(findings) == {
        *("configuration", "weight files", "file of CLIP weights", "tokenizer"),
        *PARTS,
    }
    assert findings["file of CLIP weights"].found == "not needed"
    assert findings["weight files"].found == "model.safetensors"
    assert findings["tokenizer"].found == "560 tokens"
    assert inspection.parameters == golden.golden().card.parameters
    loaded = golden.load(golden.CHECKPOINT, dtype="bfloat16").model
    held = sum(p.numel() * p.element_size() for p in loaded.parameters())
    assert inspection.bytes_by_dtype["bfloat16"] == held
    assert inspection.plan["prompts.category"] == CATEGORY_PROMPT


def test_missing_layer_scales_are_found_in_the_clip_file(folder: Path) -> None:
    tensors = {k: v for k, v in golden.tensors().items() if not k.endswith(".gamma")}
    save_file(tensors, folder / "model.safetensors")
    inspection, findings = inspect(folder)
    assert inspection.complete
    assert findings["file of CLIP weights"].found == CLIP
    (folder / CLIP).unlink()
    inspection, findings = inspect(folder)
    assert not inspection.complete
    assert "give it as the setting vision_tower" in findings["file of CLIP weights"].found
    tower = findings["vision tower"]
    assert tower.verdict is Verdict.MISSING
    assert "5 missing" in tower.found
    inspection, findings = inspect(folder, vision_tower=str(golden.CHECKPOINT))
    assert inspection.complete


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("projector", "model.mm_projector.0.weight"),
        ("mask extractor", "mask_extractor.res3.weight"),
        ("language model", "lm_head.weight"),
    ],
)
def test_what_is_missing_or_misshapen_is_told_of_its_part(
    folder: Path, part: str, name: str
) -> None:
    tensors = dict(golden.tensors())
    for verdict in (Verdict.MISMATCHED, Verdict.MISSING):
        if verdict is Verdict.MISMATCHED:
            tensors[name] = torch.zeros(2)
        else:
            del tensors[name]
        save_file(tensors, folder / "model.safetensors")
        inspection, findings = inspect(folder)
        assert not inspection.complete
        assert {other: findings[other].verdict for other in PARTS} == {
            other: verdict if other == part else Verdict.OK for other in PARTS
        }
        assert name in findings[part].found
        assert findings[part].remedy


def test_an_unexpected_tensor_is_told(folder: Path) -> None:
    save_file(golden.tensors() | {"score.weight": torch.zeros(2)}, folder / "model.safetensors")
    _, findings = inspect(folder)
    assert "1 unexpected: score.weight" in findings["language model"].found


def test_damaged_files_are_told_one_by_one(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    inspection, findings = inspect(folder)
    assert not inspection.complete
    assert findings["configuration"].verdict is Verdict.OK
    assert findings["tokenizer"].verdict is Verdict.DAMAGED
    assert findings["weight files"].verdict is Verdict.DAMAGED
    assert inspection.parameters == golden.golden().card.parameters
    weights.unlink()
    _, findings = inspect(folder)
    assert "no *.safetensors" in findings["weight files"].found


def test_another_models_configuration_is_told(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "internvl_chat"}))
    inspection, findings = inspect(folder)
    assert not inspection.complete
    assert "a checkpoint for the adapter 'wow-seg'" in findings["configuration"].found
    assert findings["tokenizer"].verdict is Verdict.OK
    assert inspection.parameters == 0


def test_a_tokenizer_that_does_not_fit_the_weights_is_told(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 300}))
    _, findings = inspect(folder)
    assert "but the model embeds 300 ids" in findings["tokenizer"].found


def test_a_setting_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(SettingError, match="must hold <image> exactly once"):
        inspect(golden.CHECKPOINT, category_prompt="What is <mask><pos>?")


def test_tower_tensors_are_not_taken_for_the_language_models(folder: Path) -> None:
    extra = {f"{TOWER}visual.trunk.stages.0.blocks.9.gamma": torch.zeros(12)}
    save_file(golden.tensors() | extra, folder / "model.safetensors")
    _, findings = inspect(folder)
    assert findings["language model"].verdict is Verdict.OK
    assert findings["vision tower"].verdict is Verdict.MISMATCHED
