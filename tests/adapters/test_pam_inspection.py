"""What is told of a PAM checkpoint before it is loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.inspection import Finding, Inspection, Verdict
from adapters.interface import CheckpointError, JsonScalar, SettingError
from adapters.pam import ENTRY
from adapters.pam.tower import AUTHORS_FILE, INSIDE
from tests.adapters import pam_goldens as golden

FILES = ("configuration", "weight files", "tokenizer", "generation", "vision tower's file")
PARTS = ("vision tower", "Perceiver", "projectors", "language model")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "copy"))


def inspect(folder: Path, **settings: JsonScalar) -> tuple[Inspection, dict[str, Finding]]:
    """The inspection, and its findings by subject."""
    inspection = ENTRY.inspect(folder, **settings)  # type: ignore[arg-type]
    return inspection, {finding.subject: finding for finding in inspection.findings}


def write(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Replace the shards by one file."""
    for path in folder.glob("model*"):
        path.unlink()
    save_file(tensors, folder / "model.safetensors")


def test_a_whole_checkpoint_is_complete_and_sized_as_it_loads() -> None:
    inspection, findings = inspect(golden.CHECKPOINT)
    assert inspection.complete
    assert set(findings) == {*FILES, "sizes", *PARTS}
    assert findings["weight files"].found == "436 tensors in 2 files"
    assert findings["vision tower's file"].found == f"{AUTHORS_FILE} beside the checkpoint"
    assert findings["vision tower"].found == "239 tensors"
    card = golden.golden().card
    assert inspection.parameters == card.parameters
    assert inspection.bytes_by_dtype["bfloat16"] == 2 * inspection.parameters
    assert inspection.plan["prompts.category"] == "Classify this subject and provide its label."
    for name, value in card.settings.items():
        assert inspection.plan[f"settings.{name}"] == value


def test_the_folder_around_it_is_as_good(folder: Path) -> None:
    folder.rename(folder.parent / "PAM-3B")
    inspection, _ = inspect(folder.parent)
    assert inspection.complete


def test_every_part_that_lacks_a_tensor_is_told(folder: Path) -> None:
    lacking = ("model.norm.weight", "model.vision_resampler.sem_tokens.weight")
    projector = "model.mm_projector_img.2.bias"
    tensors = {k: v for k, v in golden.tensors().items() if k not in (*lacking, projector)}
    write(folder, {**tensors, projector: torch.zeros(3)})
    inspection, findings = inspect(folder)
    assert not inspection.complete
    assert findings["language model"].verdict is Verdict.MISSING
    assert findings["Perceiver"].verdict is Verdict.MISSING
    assert findings["projectors"].verdict is Verdict.MISMATCHED
    assert findings["vision tower"].verdict is Verdict.OK
    assert "model.norm.weight" in findings["language model"].found


def test_a_checkpoint_without_a_tower_says_where_to_put_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (folder / AUTHORS_FILE).unlink()
    inspection, findings = inspect(folder)
    assert inspection.complete
    assert findings["vision tower's file"].found == "inside the checkpoint"
    write(folder, {k: v for k, v in golden.tensors().items() if not k.startswith(INSIDE)})
    inspection, findings = inspect(folder)
    assert not inspection.complete
    assert f"Put {AUTHORS_FILE} beside it" in findings["vision tower's file"].found
    assert inspection.plan["settings.vision_tower"] == "not found"


def test_damage_of_one_file_does_not_hide_the_others(folder: Path) -> None:
    (folder / "model-00001-of-00002.safetensors").unlink()
    (folder / "generation_config.json").write_text("{")
    (folder / "tokenizer.json").write_text("{}")
    inspection, findings = inspect(folder)
    assert inspection.parameters == 0
    assert findings["configuration"].verdict is Verdict.OK
    for subject in ("weight files", "tokenizer", "generation"):
        assert findings[subject].verdict is Verdict.DAMAGED
    assert "model-00001-of-00002.safetensors" in findings["weight files"].found


def test_another_models_configuration_is_told(folder: Path) -> None:
    path = folder / "config.json"
    fields = json.loads(path.read_text()) | {"mm_vision_tower": "openai/clip-vit-large-patch14"}
    path.write_text(json.dumps(fields))
    inspection, findings = inspect(folder)
    assert not inspection.complete
    assert "is this a LLaVA checkpoint?" in findings["configuration"].found


def test_what_cannot_be_inspected_at_all_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        ENTRY.inspect("no/such/folder")
    with pytest.raises(SettingError, match="box is 'crop'"):
        ENTRY.inspect(golden.CHECKPOINT, box="crop")
