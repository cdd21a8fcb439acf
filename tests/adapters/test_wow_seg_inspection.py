"""A WOW-Seg checkpoint is looked at without loading it: what is there, what is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters import registry
from adapters.checkpoint import find_checkpoint
from adapters.inspection import Finding, Verdict
from adapters.interface import CheckpointError, SettingError
from adapters.wow_seg.checkpoint import load_model
from tests.adapters import wow_seg_goldens as golden

ENTRY = registry.entry("wow-seg")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint."""
    folder = tmp_path / "tiny"
    shutil.copytree(golden.CHECKPOINT, folder)
    return folder


def change(checkpoint: Path, **changes: torch.Tensor | None) -> None:
    """Replace tensors of the checkpoint, or remove them."""
    path = checkpoint / "model.safetensors"
    tensors = load_file(path) | changes
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)


def findings(checkpoint: Path) -> dict[str, Finding]:
    return {finding.subject: finding for finding in ENTRY.inspect(checkpoint).findings}


def test_a_whole_checkpoint_is_complete_and_has_a_size() -> None:
    inspection = ENTRY.inspect(golden.CHECKPOINT)
    parameters = sum(p.numel() for p in golden.model().parameters())
    assert inspection.complete
    assert inspection.parameters == parameters
    assert inspection.bytes_by_dtype == {
        "float32": 4 * parameters,
        "bfloat16": 2 * parameters,
        "float16": 2 * parameters,
    }
    subjects = [finding.subject for finding in inspection.findings]
    assert subjects == [
        "configuration",
        "weight files",
        "vision tower",
        "projector",
        "language model",
        "tokenizer",
    ]


def test_no_weight_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a tensor was read")

    monkeypatch.setattr("adapters.checkpoint.read_tensors", refuse)
    with pytest.raises(AssertionError, match="a tensor was read"):
        load_model(find_checkpoint(golden.CHECKPOINT), torch.device("cpu"), torch.float32)
    assert ENTRY.inspect(golden.CHECKPOINT).complete


def test_a_bundled_checkpoint_is_found_and_the_plan_has_prompt_and_settings() -> None:
    inspection = ENTRY.inspect("bundled:sm", multi_instance="single", scale=1.5)
    assert inspection.complete
    assert inspection.plan["settings.multi_instance"] == "single"
    assert inspection.plan["settings.scale"] == 1.5
    assert "<image>" in str(inspection.plan["prompts.category"])


def test_missing_tensors_are_missing_from_their_part(checkpoint: Path) -> None:
    change(checkpoint, **{"mlp1.3.weight": None})
    found = findings(checkpoint)
    assert found["projector"].verdict is Verdict.MISSING
    assert "1 missing: mlp1.3.weight" in found["projector"].found
    assert "every weight file" in found["projector"].remedy
    assert found["vision tower"].verdict is found["language model"].verdict is Verdict.OK


def test_tensors_of_other_sizes_do_not_match(checkpoint: Path) -> None:
    change(checkpoint, **{"language_model.lm_head.weight": torch.zeros(7, 48)})
    finding = findings(checkpoint)["language model"]
    assert finding.verdict is Verdict.MISMATCHED
    assert "lm_head.weight is [7, 48], expected [511, 48]" in finding.found


def test_tensors_of_no_part_do_not_match(checkpoint: Path) -> None:
    change(checkpoint, **{"sam.weight": torch.zeros(1)})
    finding = findings(checkpoint)["other tensors"]
    assert finding.verdict is Verdict.MISMATCHED
    assert "1 unexpected: sam.weight" in finding.found


def test_every_damaged_part_is_reported_at_once(checkpoint: Path) -> None:
    (checkpoint / "config.json").write_text("{")
    (checkpoint / "model.safetensors").write_bytes(b"short")
    for path in ("tokenizer.json", "vocab.json"):
        (checkpoint / path).unlink()
    inspection = ENTRY.inspect(checkpoint)
    verdicts = [finding.verdict for finding in inspection.findings]
    assert verdicts == [Verdict.DAMAGED, Verdict.DAMAGED, Verdict.MISSING]
    assert len(inspection.findings) == 3
    assert (inspection.complete, inspection.parameters) == (False, 0)


def test_a_shard_that_was_not_copied_is_named(checkpoint: Path) -> None:
    here, absent = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    (checkpoint / "model.safetensors").rename(checkpoint / here)
    index = {"weight_map": {"first": here, "second": absent}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    finding = findings(checkpoint)["weight files"]
    assert finding.verdict is Verdict.DAMAGED
    assert absent in finding.found


def test_what_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(SettingError, match="no setting 'scael'; did you mean 'scale'"):
        ENTRY.inspect(golden.CHECKPOINT, scael=2)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        ENTRY.inspect("nowhere")
