"""Features, token sequences and logits agree with the official code."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters.checkpoint import find_checkpoint
from adapters.conformance import FixtureError
from adapters.interface import CheckpointError
from adapters.language import LanguageConfig
from adapters.qwen2_tokenizer import load_qwen2_tokenizer
from adapters.wow_seg.attention import (
    Cascade,
    Roles,
    allowed_rows,
    cascade_mask,
    parse_segments,
)
from adapters.wow_seg.certification import certify
from adapters.wow_seg.checkpoint import (
    load_model,
    random_model,
    save_official,
    to_official,
)
from adapters.wow_seg.configuration import (
    PRESETS,
    VisionConfig,
    WowSegConfig,
)
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.prompting import CATEGORY_PROMPT, SYSTEM_MESSAGE, Prompter, Span
from tests.adapters import wow_seg_goldens as golden

CPU = torch.device("cpu")
TINY = WowSegConfig(
    vision=VisionConfig(32, 2, 2, 64, image_size=32, patch_size=4),
    language=LanguageConfig(64, 24, 2, 4, 2, 48),
)


def test_every_stage_agrees_with_the_official_code() -> None:
    comparisons = list(certify(golden.FOLDER))
    assert [comparison for comparison in comparisons if not comparison.passed] == []
    assert Counter(comparison.stage for comparison in comparisons) == {
        "pixels": 20,
        "crop boxes": 17,
        "token masks": 17,
        "image features": 3,
        "region features": 17,
        "prompt tokens": 17,
        "first logits": 34,
        "answer tokens": 34,
        "answer text": 34,
        "training tokens": 12,
        "segments": 6,
        "attention": 12,
        "cascade logits": 15,
    }


@pytest.mark.parametrize(
    ("weight", "stages"),
    [
        ("vision_model.encoder.layers.0.mlp.fc1.weight", {"image features", "region features"}),
        ("language_model.lm_head.weight", {"first logits", "cascade logits"}),
    ],
)
def test_a_changed_weight_is_found_in_the_stage_it_changes(
    tmp_path: Path, weight: str, stages: set[str]
) -> None:
    fixture = golden.smallest_fixture(tmp_path)
    path = fixture / "checkpoint" / "model.safetensors"
    tensors = load_file(path)
    tensors[weight][0] += 0.1
    save_file(tensors, path)
    failed = {comparison.stage for comparison in certify(fixture) if not comparison.passed}
    assert stages <= failed
    assert failed.isdisjoint({"pixels", "crop boxes", "prompt tokens", "attention"})


@pytest.mark.parametrize("file", ["cases.json", "expected.safetensors", "attention.npz"])
def test_a_fixture_without_one_of_its_files_is_refused(tmp_path: Path, file: str) -> None:
    fixture = golden.smallest_fixture(tmp_path)
    (fixture / file).unlink()
    with pytest.raises(FixtureError, match=file):
        next(certify(fixture))


def test_a_prompt_without_answer_has_no_segments_to_find() -> None:
    with pytest.raises(ValueError, match="at least one region run"):
        parse_segments([1, 2, 3], golden.prompter().tokens, 11)


def test_the_separator_is_hidden_when_it_is_the_collators_padding() -> None:
    tokens = golden.prompter().tokens
    ids = [*golden.prompter().training(CATEGORY_PROMPT, 1, [1, 1], "a!b, c").input_ids]
    assert 0 in ids
    allowed = cascade_mask(ids, tokens, 11, Cascade.REGION_OUTPUT)
    assert not allowed[:, ids.index(0)].any()
    assert cascade_mask(ids, tokens, 11, Cascade.NONE)[-1].all()


def test_answers_beyond_the_last_region_see_every_region_but_no_earlier_answer() -> None:
    regions, outputs = (Span(1, 3), Span(3, 5)), (Span(6, 8), Span(8, 10), Span(10, 12))
    roles = Roles.of([7] * 12, regions, outputs)
    allowed = allowed_rows(roles, Cascade.REGION_OUTPUT, 0, 12)
    seen = [allowed[span.end - 1].nonzero().flatten().tolist() for span in outputs]
    assert seen == [
        [0, 1, 2, 5, 6, 7],
        [0, 3, 4, 5, 8, 9],
        [0, 1, 2, 3, 4, 5, 10, 11],
    ]


def test_the_projector_normalises_with_its_own_epsilon() -> None:
    model = random_model(TINY, 0, CPU, torch.float32)
    assert model.mlp1[0].eps == 1e-5


def test_prompts_are_the_trained_ones() -> None:
    assert golden.cases()["prompts"]["eval"] == CATEGORY_PROMPT
    assert golden.cases()["system_message"] == SYSTEM_MESSAGE


def test_embedding_refuses_a_wrong_number_of_features() -> None:
    model, context = golden.model(), golden.prompter().tokens.image_context
    ids = torch.tensor([[context, context, 5]])
    with pytest.raises(ValueError, match="2 image context tokens but 3 features"):
        model.embed(ids, torch.zeros(3, model.config.language.hidden_size), context)


def test_the_model_trains_through_mask_and_features() -> None:
    model = random_model(TINY, 0, CPU, torch.float32).train()
    features = model.encode(torch.randn(2, 3, 32, 32)).flatten(0, 1)
    assert len(features) == 2 * TINY.tokens_per_tile
    ids = torch.tensor([[1, *[63] * len(features), 2]])
    allowed = torch.ones(1, ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
    model(model.embed(ids, features, 63), allowed).logsumexp(-1).sum().backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []


def test_saving_and_loading_the_official_layout_changes_nothing(tmp_path: Path) -> None:
    original = find_checkpoint(golden.CHECKPOINT)
    save_official(golden.model(), load_qwen2_tokenizer(golden.CHECKPOINT), tmp_path / "copy")
    copy = find_checkpoint(tmp_path / "copy")
    before, after = original.tensors(), copy.tensors()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert load_model(copy, CPU, torch.float32).config == golden.model().config
    again = Prompter(load_qwen2_tokenizer(copy.folder))
    assert again.prompt(CATEGORY_PROMPT, 3, [2]) == golden.prompter().prompt(
        CATEGORY_PROMPT, 3, [2]
    )


def test_weights_stored_in_half_precision_load_back(tmp_path: Path) -> None:
    model = golden.model()
    save_official(model, load_qwen2_tokenizer(golden.CHECKPOINT), tmp_path, torch.bfloat16)
    loaded = load_model(find_checkpoint(tmp_path), CPU, torch.float32)
    for name, parameter in model.named_parameters():
        wanted = parameter.bfloat16().float()
        assert torch.equal(loaded.get_parameter(name), wanted), name


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("internvl3-1b", 938_193_024),
        ("internvl2.5-1b", 938_193_024),
        ("internvl2-1b", 938_193_024 - 2 * (151674 - 151655) * 896),
    ],
)
def test_presets_have_the_published_size_without_memory(name: str, published: int) -> None:
    model = random_model(PRESETS[name], 0, torch.device("meta"), torch.bfloat16)
    assert sum(p.numel() for p in model.parameters()) == published
    assert all(p.is_meta for p in model.parameters())


def test_random_weights_follow_the_seed() -> None:
    one, same, other = (random_model(TINY, seed, CPU, torch.float32) for seed in (1, 1, 2))
    weight = "language_model.lm_head.weight"
    assert torch.equal(one.get_parameter(weight), same.get_parameter(weight))
    assert not torch.equal(one.get_parameter(weight), other.get_parameter(weight))


def test_configuration_survives_the_official_layout() -> None:
    assert WowSegConfig.from_official(TINY.to_official()) == TINY
    wide = replace(TINY, downsample_ratio=0.25)
    assert (wide.grid, wide.tokens_per_tile) == (2, 4)
    assert WowSegConfig.from_official(wide.to_official()) == wide


@pytest.mark.parametrize(
    ("part", "field", "value", "complaint"),
    [
        (None, "ps_version", "v1", "ps_version is 'v1'"),
        (None, "select_layer", -2, "select_layer is -2"),
        (None, "template", "internlm2-chat", "template is 'internlm2-chat'"),
        (None, "force_image_size", 64, "force_image_size is 64, but wow-seg computes 32"),
        (None, "dynamic_image_size", False, "dynamic_image_size is False"),
        (None, "min_dynamic_patch", 2, "min_dynamic_patch is 2"),
        (None, "pad2square", True, "pad2square is True"),
        (None, "use_llm_lora", 16, "use_llm_lora is 16"),
        (None, "use_backbone_lora", 16, "use_backbone_lora is 16"),
        ("llm_config", "architectures", ["LlamaForCausalLM"], "LlamaForCausalLM"),
        ("llm_config", "rope_scaling", {"type": "linear"}, "rope_scaling: type is 'linear'"),
        ("llm_config", "rope_scaling", {"rope_type": "yarn"}, "rope_type is 'yarn'"),
        (
            "llm_config",
            "rope_scaling",
            {"type": "dynamic", "rope_type": "linear"},
            "rope_type is 'linear'",
        ),
        ("vision_config", "norm_type", "rms_norm", "norm_type is 'rms_norm'"),
    ],
)
def test_another_models_configuration_is_refused(
    part: str | None, field: str, value: object, complaint: str
) -> None:
    official = TINY.to_official()
    (official[part] if part else official)[field] = value
    with pytest.raises(CheckpointError, match=complaint):
        WowSegConfig.from_official(official)


@pytest.mark.parametrize(
    "scaling",
    [
        None,
        {"type": "dynamic", "factor": 2.0},
        {"rope_type": "dynamic", "factor": 2.0},
        {"type": "dynamic", "rope_type": "default"},
        {"type": None, "rope_type": "default"},
    ],
)
def test_scaling_that_changes_no_position_within_the_limit_is_accepted(scaling: object) -> None:
    official = TINY.to_official()
    official["llm_config"]["rope_scaling"] = scaling
    assert WowSegConfig.from_official(official) == TINY


def test_what_an_old_configuration_leaves_out_is_what_is_computed() -> None:
    official = TINY.to_official()
    for field in (
        *("template", "force_image_size", "dynamic_image_size", "min_dynamic_patch"),
        *("pad2square", "use_llm_lora", "use_backbone_lora", "select_layer"),
    ):
        del official[field]
    assert WowSegConfig.from_official(official) == TINY
    assert WowSegConfig.from_official({**official, "force_image_size": None}) == TINY


def test_pictures_that_patches_do_not_fill_are_refused() -> None:
    official = TINY.to_official()
    official["force_image_size"] = official["vision_config"]["image_size"] = 30
    with pytest.raises(CheckpointError, match="image_size 30 must be a multiple"):
        WowSegConfig.from_official(official)


def test_official_names_cover_the_published_checkpoint() -> None:
    with torch.device("meta"):
        names = to_official(WowSegModel(WowSegConfig()).state_dict())
    layer = "vision_model.encoder.layers.23."
    assert tuple(names[f"{layer}attn.qkv.weight"].shape) == (3072, 1024)
    assert tuple(names["vision_model.embeddings.position_embedding"].shape) == (1, 1025, 1024)
    assert tuple(names["mlp1.3.weight"].shape) == (896, 896)
    per_layer = {name.removeprefix(layer) for name in names if name.startswith(layer)}
    assert per_layer == {
        *("attn.proj.bias", "attn.proj.weight", "attn.qkv.bias", "attn.qkv.weight", "ls1", "ls2"),
        *("mlp.fc1.bias", "mlp.fc1.weight", "mlp.fc2.bias", "mlp.fc2.weight"),
        *("norm1.bias", "norm1.weight", "norm2.bias", "norm2.weight"),
    }


def test_safetensors_may_be_sharded(tmp_path: Path) -> None:
    tensors = find_checkpoint(golden.CHECKPOINT).tensors()
    names = sorted(tensors)
    (tmp_path / "config.json").write_bytes((golden.CHECKPOINT / "config.json").read_bytes())
    for i, part in enumerate((names[:10], names[10:])):
        save_file({n: tensors[n] for n in part}, tmp_path / f"model-{i}.safetensors")
    loaded = load_model(find_checkpoint(tmp_path), CPU, torch.float32)
    weight = "language_model.lm_head.weight"
    assert torch.equal(loaded.get_parameter(weight), golden.model().get_parameter(weight))
