"""Every number of the Osprey golden fixture is the official code's."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.conformance import FixtureError
from adapters.osprey.certification import certify
from tests.adapters import osprey_goldens as golden


def test_every_stage_agrees_with_the_official_code() -> None:
    comparisons = list(certify(golden.FOLDER))
    assert [comparison for comparison in comparisons if not comparison.passed] == []
    runs = len(golden.cases()["runs"])
    compared = Counter(comparison.stage for comparison in comparisons)
    for stage in ("prompt tokens", "first logits", "answer tokens"):
        assert compared[stage] == runs
    assert compared["pixels"] == 3 * 6
    assert compared["image features"] == 3 * 7
    assert compared["region features"] == 12 * 6
    assert compared["first token in bfloat16"] >= 20


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("model.mm_projector.2.bias", {"image features", "first logits"}),
        ("mask_extractor.mask_linear.layers.1.bias", {"region features", "first logits"}),
        ("lm_head.weight", {"first logits", "answer tokens"}),
    ],
)
def test_a_changed_weight_fails(name: str, stages: set[str], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(golden.FOLDER, tmp_path / "osprey"))
    changed = dict(golden.tensors())
    noise = torch.randn(changed[name].shape, generator=torch.Generator().manual_seed(0))
    changed[name] = changed[name] + 0.5 * noise
    save_file(changed, folder / "checkpoint" / "model.safetensors")
    failed = {comparison.stage for comparison in certify(folder) if not comparison.passed}
    assert stages <= failed
    assert "pixels" not in failed


def test_a_fixture_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(golden.FOLDER, tmp_path / "osprey"))
    save_file({"m0.mask_embed": torch.zeros(64)}, folder / "expected.safetensors")
    with pytest.raises(FixtureError, match="no 'img0"):
        list(certify(folder))
    (folder / "cases.json").unlink()
    with pytest.raises(FixtureError, match="cannot be read"):
        next(certify(folder))
