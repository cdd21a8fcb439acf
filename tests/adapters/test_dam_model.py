"""Every stage agrees with the official code; sizes, number types and random weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters.conformance import FixtureError
from adapters.dam import ENTRY
from adapters.dam.certification import certify
from adapters.dam.checkpoint import random_model
from adapters.dam.configuration import PRESETS
from adapters.dam.encoding import encode_regions
from adapters.dam.modeling import DamModel
from adapters.dam.preprocessing import stretch, view_regions
from adapters.interface import SettingError
from adapters.masks import decode_rle
from tests.adapters import dam_goldens as golden

STAGES = {
    *("crop boxes", "mask boxes", "focal crop used", "prompt tokens", "prompt length"),
    *("pixels (window_full)", "pixels (window_crop)", "pixels (stats)", "pixels (block_means)"),
    *("full features", "fused features", "image tokens", "image tokens, always fused"),
    *("first logits", "answer tokens", "answer text", "first token in bfloat16"),
}


def test_every_number_of_the_official_code_is_met() -> None:
    comparisons = list(certify(golden.FOLDER))
    assert [c for c in comparisons if not c.passed] == []
    assert {c.stage for c in comparisons} == STAGES
    assert {"a1", "a4", "c2", "video2"} <= {c.case for c in comparisons}


@pytest.mark.parametrize(
    ("part", "tensor"),
    [
        ("llm", "model.layers.1.mlp.up_proj.weight"),
        ("vision_tower", "vision_model.embeddings.mask_patch_embedding.bias"),
        ("mm_projector", "layers.4.bias"),
        ("context_provider", "context_provider_module.layers.1.mlp_factor"),
    ],
)
def test_a_changed_weight_is_noticed(part: str, tensor: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(golden.FOLDER, tmp_path / "dam"))
    file = folder / "checkpoint" / part / "model.safetensors"
    tensors = load_file(file)
    tensors[tensor] = tensors[tensor] * 1.1
    save_file(tensors, file)
    assert any(not comparison.passed for comparison in certify(folder))


@pytest.mark.parametrize(
    ("part", "tensor"),
    [
        ("vision_tower", "vision_model.encoder.layers.2.mlp.fc1.weight"),
        ("vision_tower", "vision_model.post_layernorm.weight"),
        ("context_provider", "context_provider_module.layers.2.attn_factor"),
    ],
)
def test_weights_after_the_selected_features_change_nothing(
    part: str, tensor: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "copy"))
    tensors = load_file(folder / part / "model.safetensors")
    tensors[tensor] = tensors[tensor] * 3
    save_file(tensors, folder / part / "model.safetensors")
    query = golden.golden_query(golden.cases()[:1])
    wanted = golden.golden().first_token_logits(query)
    assert torch.equal(golden.load(folder).first_token_logits(query), wanted)


def test_a_folder_that_is_no_fixture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="cannot be read"):
        next(certify(tmp_path))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_preset_has_the_published_size_without_memory(dtype: torch.dtype) -> None:
    model = random_model(PRESETS["dam-3b"], 0, torch.device("meta"), dtype)
    counts = {
        name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()
    }
    # The published files hold these numbers in two bytes each: 857, 823 and 36.7 MB.
    assert counts == {
        "vision_tower": 428_452_544,
        "context_provider": 411_466_662,
        "mm_projector": 18_364_416,
        "llm": 2_701_560_320,
    }
    assert all(p.is_meta and p.dtype is dtype for p in model.parameters())
    assert model.config.image_tokens == 196


def test_the_published_size_passes_every_step_without_memory() -> None:
    model = random_model(PRESETS["dam-3b"], 0, torch.device("meta"), torch.bfloat16)
    picture = stretch(golden.picture(), model.config.vision.image_size)
    views = view_regions(picture, [decode_rle(golden.rectangle(10, 10, 90, 80))] * 2)
    with torch.inference_mode():
        tokens = encode_regions(model, picture.stretched, views)
        prompts = model.follow(tokens[:, None], [[13, 5, 6]])
    assert tokens.shape == (2, 196, 2560)
    assert prompts.shape == (2, 199, 2560)


def test_random_weights_follow_the_seed() -> None:
    one, same, other = (
        random_model(golden.TINY, seed, golden.CPU, torch.float32) for seed in (1, 1, 2)
    )
    name = "vision_tower.vision_model.embeddings.mask_patch_embedding.weight"
    assert torch.equal(one.get_parameter(name), same.get_parameter(name))
    assert not torch.equal(one.get_parameter(name), other.get_parameter(name))


def test_an_unknown_preset_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingError, match="did you mean 'dam-3b'"):
        ENTRY.load(preset="dam-3", device="meta")


def test_a_model_without_context_provider_sees_the_full_picture_only() -> None:
    plain = DamModel(replace(golden.TINY, context=None)).eval()
    fused = golden.tiny_model()
    plain.load_state_dict(fused.state_dict(), strict=False)
    picture = stretch(golden.picture(), golden.TINY.vision.image_size)
    (region,) = view_regions(picture, [decode_rle(golden.rectangle(200, 100, 30, 40))])
    with torch.inference_mode():
        without = encode_regions(plain, picture.stretched, [region])
        passed_on = encode_regions(fused, picture.stretched, [region._replace(focal=False)])
        focused = encode_regions(fused, picture.stretched, [region])
        with pytest.raises(ValueError, match="no context provider"):
            plain.focus(torch.zeros(1, 3, 72, 72), torch.zeros(1, 1, 72, 72), without)
    assert torch.equal(without, passed_on)
    assert not torch.allclose(without, focused)


def test_the_network_trains_through_every_part_that_acts() -> None:
    model = random_model(golden.TINY, 0, golden.CPU, torch.float32).train()
    full = model.look(torch.randn(1, 3, 72, 72), torch.randn(2, 1, 72, 72))
    fused = model.focus(torch.randn(2, 3, 72, 72), torch.randn(2, 1, 72, 72), full)
    prompts = model.follow(model.project(fused)[:, None], [[5, 6]])
    model.llm(inputs_embeds=prompts, use_cache=False).logits.logsumexp(-1).sum().backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    unused = (
        "vision_tower.vision_model.encoder.layers.2.",
        "vision_tower.vision_model.post_layernorm.",
        "vision_tower.vision_model.head.",
        "context_provider.context_provider_module.layers.2.",
    )
    assert without == {name for name, _ in model.named_parameters() if name.startswith(unused)}
