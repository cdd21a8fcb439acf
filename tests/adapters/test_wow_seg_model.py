"""Features, token sequences and logits agree with the official code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from adapters.checkpoint import find_checkpoint
from adapters.interface import CheckpointError
from adapters.language import LanguageConfig
from adapters.wow_seg.attention import Cascade, cascade_mask, parse_segments
from adapters.wow_seg.checkpoint import (
    load_model,
    load_tokenizer,
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
from adapters.wow_seg.preprocessing import Pixels, RegionCrop, crop_region, tile_image
from adapters.wow_seg.prompting import CATEGORY_PROMPT, SYSTEM_MESSAGE, Prompter
from tests.adapters import wow_seg_goldens as golden

CPU = torch.device("cpu")
TINY = WowSegConfig(
    vision=VisionConfig(32, 2, 2, 64, image_size=32, patch_size=4),
    language=LanguageConfig(64, 24, 2, 4, 2, 48),
)


def crops_of(image: golden.Case, masks: list[int], layout: golden.Case) -> list[RegionCrop]:
    config = golden.model().config
    tiled = tile_image(golden.picture(image), layout["max_num"], config)
    decoded = golden.masks(image)
    found = [crop_region(tiled, decoded[i], config, layout["scale"]) for i in masks]
    return [crop for crop in found if crop is not None]


@torch.inference_mode()
def encode(array: Pixels) -> torch.Tensor:
    return golden.model().encode(golden.pixels(array))


def region_rows(crops: list[RegionCrop]) -> torch.Tensor:
    keep = torch.from_numpy(np.stack([crop.keep for crop in crops])).flatten(1)
    return encode(np.stack([crop.pixels for crop in crops]))[keep]


@pytest.mark.parametrize("image", golden.images(), ids=lambda image: image["id"])
def test_single_mask_prompts_features_and_first_logits(image: golden.Case) -> None:
    model, prompter = golden.model(), golden.prompter()
    tiled = tile_image(golden.picture(image), image["max_num"], model.config)
    features = encode(tiled.tiles)
    wanted = golden.expected()[f"{image['id']}/tile_embeds_sample"]
    assert golden.largest_difference(features[:, ::17], wanted) < golden.TOLERANCE
    for i in range(len(image["masks"])):
        key = f"{image['id']}/{i}"
        rows = region_rows(crops_of(image, [i], image))
        wanted = golden.expected()[f"{key}/region_embeds"]
        assert golden.largest_difference(rows, wanted) < golden.TOLERANCE
        count = len(tiled.tiles) * model.config.tokens_per_tile
        ids = prompter.prompt(CATEGORY_PROMPT, count, [len(rows)]).input_ids
        assert list(ids) == golden.expected()[f"{key}/input_ids"].tolist()
        with torch.inference_mode():
            sources = torch.cat([features.flatten(0, 1), rows])
            inputs = model.embed(torch.tensor([ids]), sources, prompter.tokens.image_context)
            logits = model(inputs)[0, -1]
        wanted = golden.expected()[f"{key}/first_logits"]
        assert golden.largest_difference(logits, wanted) < golden.TOLERANCE


VARIANTS = [
    (Cascade.REGION_OUTPUT, "logits", "allow"),
    (Cascade.REGION, "logits_region", "allow_region"),
    (Cascade.OUTPUT, "logits_output", "allow_output"),
    (Cascade.NONE, "logits_none", None),
]


@pytest.mark.parametrize(
    ("image", "multi"),
    golden.sequences(),
    ids=[f"{image['id']}-{multi['name']}" for image, multi in golden.sequences()],
)
def test_cascade_sequences_masks_and_logits(image: golden.Case, multi: golden.Case) -> None:
    model, prompter = golden.model(), golden.prompter()
    key = f"{image['id']}/multi_{multi['name']}"
    expected = golden.expected()
    tiles = tile_image(golden.picture(image), multi["max_num"], model.config).tiles
    crops = crops_of(image, multi["masks"], multi)
    counts = [int(crop.keep.sum()) for crop in crops]
    sequence = prompter.training(
        CATEGORY_PROMPT, len(tiles) * model.config.tokens_per_tile, counts, multi["answer"]
    )
    assert list(sequence.input_ids) == expected[f"{key}/input_ids"].tolist()
    assert list(sequence.labels) == expected[f"{key}/labels"].tolist()
    sources = torch.cat([encode(tiles).flatten(0, 1), region_rows(crops)])
    ids = torch.tensor([sequence.input_ids])
    inputs = model.embed(ids, sources, prompter.tokens.image_context)
    compared = 0
    for variant, logits_key, mask_key in VARIANTS:
        if f"{key}/{logits_key}" not in expected:
            continue
        separator = multi["separator_id"]
        allowed = cascade_mask(sequence.input_ids, prompter.tokens, separator, variant)
        if mask_key is not None:
            wanted = golden.allowed()[f"{image['id']}__multi_{multi['name']}__{mask_key}"]
            assert (allowed.numpy() == wanted).all()
        with torch.inference_mode():
            logits = model(inputs, allowed[None])[0][expected[f"{key}/rows"].long()]
        difference = golden.largest_difference(logits, expected[f"{key}/{logits_key}"])
        assert difference < golden.TOLERANCE, variant
        compared += 1
    assert compared == (4 if multi["name"] == "train" else 1)


@pytest.mark.parametrize(("image", "multi"), golden.sequences())
def test_segments_are_the_official_ones(image: golden.Case, multi: golden.Case) -> None:
    ids = golden.expected()[f"{image['id']}/multi_{multi['name']}/input_ids"].tolist()
    found = parse_segments(ids, golden.prompter().tokens, multi["separator_id"])
    wanted = multi["segments"]
    assert list(found.image) == wanted["image"]
    assert [list(span) for span in found.regions] == wanted["regions"]
    assert list(found.infix) == wanted["infix"]
    assert [list(span) for span in found.outputs] == wanted["outputs"]


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
    save_official(golden.model(), load_tokenizer(golden.CHECKPOINT), tmp_path / "copy")
    copy = find_checkpoint(tmp_path / "copy")
    before, after = original.tensors(), copy.tensors()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert load_model(copy, CPU, torch.float32).config == golden.model().config
    again = Prompter(load_tokenizer(copy.folder))
    assert again.prompt(CATEGORY_PROMPT, 3, [2]) == golden.prompter().prompt(
        CATEGORY_PROMPT, 3, [2]
    )


def test_weights_stored_in_half_precision_load_back(tmp_path: Path) -> None:
    model = golden.model()
    save_official(model, load_tokenizer(golden.CHECKPOINT), tmp_path, torch.bfloat16)
    loaded = load_model(find_checkpoint(tmp_path), CPU, torch.float32)
    for name, parameter in model.named_parameters():
        wanted = parameter.bfloat16().float()
        assert torch.equal(loaded.get_parameter(name), wanted), name


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_the_published_size_without_memory(name: str) -> None:
    model = random_model(PRESETS[name], 0, torch.device("meta"), torch.bfloat16)
    published = {"internvl3-1b": 938_193_024, "internvl2.5-1b": 938_193_024}
    fewer_words = 2 * (151674 - 151655) * 896
    wanted = published.get(name, 938_193_024 - fewer_words)
    assert sum(p.numel() for p in model.parameters()) == wanted
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
        ("llm_config", "architectures", ["LlamaForCausalLM"], "LlamaForCausalLM"),
        ("vision_config", "norm_type", "rms_norm", "norm_type is 'rms_norm'"),
        ("vision_config", "image_size", 30, "image_size 30 must be a multiple"),
    ],
)
def test_another_models_configuration_is_refused(
    part: str | None, field: str, value: object, complaint: str
) -> None:
    official = TINY.to_official()
    (official[part] if part else official)[field] = value
    with pytest.raises(CheckpointError, match=complaint):
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
