"""Every number of the PAM golden fixture is the official code's."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.conformance import FixtureError
from adapters.pam.certification import certify
from tests.adapters import pam_goldens as golden


def test_every_stage_agrees_with_the_official_code() -> None:
    comparisons = list(certify(golden.FOLDER))
    assert [comparison for comparison in comparisons if not comparison.passed] == []
    count = len(golden.cases())
    compared = Counter(comparison.stage for comparison in comparisons)
    for stage in ("prompt tokens", "prompt embeddings", "mask logits", "prompted features"):
        assert compared[stage] == count
    for stage in ("semantic tokens", "image tokens", "image token order", "input embeddings"):
        assert compared[stage] == count
    for stage in ("first logits", "step logits", "answer tokens", "answer tokens, penalised"):
        assert compared[stage] == count
    assert compared["box"] == compared["answers"] == 6
    assert compared["first token in bfloat16"] >= 6


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("model.semT_newline", {"first logits", "step logits"}),
        ("model.vision_resampler.layers.1.norm4.bias", {"image tokens", "first logits"}),
        ("model.mm_projector_semT.2.bias", {"projected tokens", "first logits"}),
    ],
)
def test_a_changed_weight_fails(name: str, stages: set[str], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(golden.FOLDER, tmp_path / "pam"))
    keep_one_case(folder)
    changed = dict(golden.tensors())
    noise = torch.randn(changed[name].shape, generator=torch.Generator().manual_seed(0))
    changed[name] = changed[name] + 0.5 * noise.to(changed[name].dtype)
    write_weights(folder / "checkpoint", changed)
    failed = {comparison.stage for comparison in certify(folder) if not comparison.passed}
    assert stages <= failed
    assert not failed & {"pixels", "image features", "mask tokens"}


def test_a_changed_vision_tower_fails(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(golden.FOLDER, tmp_path / "pam"))
    keep_one_case(folder)
    changed = dict(golden.tower_tensors())
    changed["no_mem_embed"] = changed["no_mem_embed"] + 0.5
    torch.save({"model": changed}, folder / "checkpoint" / "sam2.1_hiera_large.pt")
    failed = {comparison.stage for comparison in certify(folder) if not comparison.passed}
    assert {"image features", "mask tokens", "first logits"} <= failed
    assert not failed & {"pixels", "prompt embeddings"}


def test_a_fixture_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(golden.FOLDER, tmp_path / "pam"))
    save_file({"a0_mask_big/pixel": torch.zeros(3)}, folder / "expected.safetensors")
    with pytest.raises(FixtureError, match="no 'a0_mask_big/pixel_stats'"):
        list(certify(folder))
    (folder / "cases.json").unlink()
    with pytest.raises(FixtureError, match="cannot be read"):
        next(certify(folder))


def keep_one_case(folder: Path) -> None:
    kept = json.dumps({"cases": golden.cases()[:1]})
    (folder / "cases.json").write_text(kept, encoding="utf-8")


def write_weights(checkpoint: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Replace the shards by one file."""
    for path in checkpoint.glob("model*"):
        path.unlink()
    save_file(tensors, checkpoint / "model.safetensors")
