"""Which files an Osprey is loaded from, and what is refused."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import adapters
from adapters.device import DTYPES
from adapters.interface import CheckpointError, SettingError, Task
from adapters.masks import decode_rle
from adapters.osprey.adapter import REVISION, OspreyRecognizer
from adapters.osprey.checkpoint import TOWER, expected_shapes, random_model
from adapters.osprey.configuration import PRESETS, OspreyConfig
from adapters.osprey.preprocessing import IMAGE_TOKENS, RegionGrids, sample_mask
from adapters.osprey.prompting import CATEGORY_PROMPT
from tests.adapters import osprey_goldens as golden

CLIP = "open_clip_pytorch_model.bin"
QUERY = golden.asking(golden.masks()[:2])
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "copy"))


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    return dict(golden.tensors())


@pytest.fixture(scope="module")
def wanted() -> torch.Tensor:
    return golden.golden().first_token_logits(QUERY)


def without(tensors: Mapping[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in tensors.items() if part not in name}


def refusal(folder: Path, **settings: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        golden.load(folder, **settings)
    return str(caught.value)


def shard(folder: Path, tensors: dict[str, torch.Tensor], suffix: str) -> None:
    """Replace the weights by three shards with an index, as published."""
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    weight_map: dict[str, str] = {}
    stem = {"bin": "pytorch_model", "safetensors": "model"}[suffix]
    for i in range(3):
        part = {name: tensors[name] for name in names[i::3]}
        file = f"{stem}-0000{i + 1}-of-00003.{suffix}"
        if suffix == "bin":
            torch.save(part, folder / file)
        else:
            save_file(part, folder / file)
        weight_map |= dict.fromkeys(part, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("suffix", ["bin", "safetensors"])
def test_weights_may_be_sharded(
    folder: Path, tensors: dict[str, torch.Tensor], suffix: str, wanted: torch.Tensor
) -> None:
    shard(folder, tensors, suffix)
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)
    next(folder.glob(f"*2-of-00003.{suffix}")).unlink()
    assert "1 of 3 weight files named by" in refusal(folder)


def test_weights_may_be_a_single_torch_file_beside_that_of_clip(
    folder: Path, tensors: dict[str, torch.Tensor], wanted: torch.Tensor
) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    assert (folder / CLIP).is_file()
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)


def test_a_whole_checkpoint_needs_no_file_of_clip_weights(
    folder: Path, wanted: torch.Tensor
) -> None:
    (folder / CLIP).unlink()
    recognizer = golden.load(folder)
    assert torch.equal(recognizer.first_token_logits(QUERY), wanted)
    assert recognizer.card.checkpoint_digest == golden.golden().card.checkpoint_digest


def test_a_file_of_clip_weights_that_is_given_must_be_there(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=f"no {CLIP} at 'no/such/file'"):
        golden.load(folder, vision_tower="no/such/file")


@pytest.mark.parametrize("part", [".gamma", TOWER])
def test_what_the_checkpoint_lacks_of_the_tower_comes_from_the_clip_file_beside_it(
    folder: Path, tensors: dict[str, torch.Tensor], part: str, wanted: torch.Tensor
) -> None:
    save_file(without(tensors, part), folder / "model.safetensors")
    recognizer = golden.load(folder)
    assert torch.equal(recognizer.first_token_logits(QUERY), wanted)
    # The file is part of what was asked, so its contents are part of the digest.
    clip = torch.load(folder / CLIP, weights_only=True)
    clip["visual.trunk.stages.0.blocks.0.gamma"] *= 2
    torch.save(clip, folder / CLIP)
    other = golden.load(folder)
    assert other.card.checkpoint_digest != recognizer.card.checkpoint_digest
    assert not torch.equal(other.first_token_logits(QUERY), wanted)


def test_the_main_files_come_before_the_clip_file(
    folder: Path, tensors: dict[str, torch.Tensor], wanted: torch.Tensor
) -> None:
    save_file(without(tensors, ".gamma"), folder / "model.safetensors")
    clip = torch.load(folder / CLIP, weights_only=True)
    for name in clip:
        if not name.endswith(".gamma"):
            clip[name] = torch.zeros_like(clip[name])
    torch.save(clip, folder / CLIP)
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)


def test_the_clip_file_may_lie_elsewhere(
    folder: Path, tensors: dict[str, torch.Tensor], tmp_path: Path, wanted: torch.Tensor
) -> None:
    save_file(without(tensors, TOWER), folder / "model.safetensors")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = (folder / CLIP).rename(elsewhere / CLIP)
    for setting in (str(moved), str(elsewhere)):
        recognizer = golden.load(folder, vision_tower=setting)
        assert torch.equal(recognizer.first_token_logits(QUERY), wanted)
        assert str(elsewhere) not in str(recognizer.card)
    config = json.loads((folder / "config.json").read_text())
    config["mm_vision_tower"] = str(moved)
    (folder / "config.json").write_text(json.dumps(config))
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)
    moved.rename(folder / CLIP)
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)


def test_a_missing_clip_file_says_what_it_is_for_and_how_to_give_it(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    save_file(without(tensors, ".gamma"), folder / "model.safetensors")
    clip = folder / CLIP
    contents = clip.read_bytes()
    clip.unlink()
    message = refusal(folder)
    assert f"5 tensors of the vision tower, such as {TOWER}visual.trunk.stages.0" in message
    assert f"not beside them as {CLIP}; give it as the setting vision_tower" in message
    assert f"no {CLIP} at 'no/such/file'" in refusal(folder, vision_tower="no/such/file")
    clip.write_bytes(contents[:4000])
    assert f"{CLIP} holds more than plain tensors, or is damaged" in refusal(folder)


def test_missing_unexpected_and_misshapen_tensors_are_all_listed(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    del tensors["mask_extractor.feat_linear.bias"]
    tensors["model.layers.0.self_attn.q_proj.bias"] = torch.zeros(64)
    tensors[f"{TOWER}visual.trunk.stages.0.blocks.7.gamma"] = torch.zeros(12)
    tensors["model.mm_projector.0.bias"] = torch.zeros(3)
    save_file(tensors, folder / "model.safetensors")
    message = refusal(folder)
    assert "1 missing: mask_extractor.feat_linear.bias" in message
    assert "2 unexpected: model.layers.0.self_attn.q_proj.bias, " in message
    assert "1 of the wrong shape: model.mm_projector.0.bias is [3], expected [64]" in message


def test_what_the_model_never_uses_may_be_there_or_not(
    folder: Path, tensors: dict[str, torch.Tensor], wanted: torch.Tensor
) -> None:
    used = tensors.keys() & expected_shapes(golden.golden().model.config).keys()
    unused = tensors.keys() - used
    assert {name.rsplit(".", 1)[0].removeprefix(TOWER) for name in unused} == {
        *(f"model.layers.{i}.self_attn.rotary_emb" for i in range(2)),
        *("visual.trunk.head.norm", "visual.head.mlp.fc1", "visual.head.mlp.fc2"),
    }
    few = {name: tensors[name] for name in used}
    save_file(few, folder / "model.safetensors")
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)
    save_file(few | {f"{TOWER}logit_scale": torch.zeros(1)}, folder / "model.safetensors")
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)


def test_a_truncated_weight_file_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "model.safetensors is not a whole safetensors file" in refusal(folder)


def test_the_tokenizer_is_read_from_either_file(folder: Path, wanted: torch.Tensor) -> None:
    (folder / "tokenizer.json").unlink()
    assert torch.equal(golden.load(folder).first_token_logits(QUERY), wanted)
    (folder / "tokenizer.model").write_bytes(b"no tokenizer")
    assert "tokenizer.model" in refusal(folder)
    (folder / "tokenizer.model").unlink()
    assert "no tokenizer in the checkpoint" in refusal(folder)


def test_a_tokenizer_with_more_ids_than_the_model_embeds_is_refused(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vocab_size"] = 300
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = tensors[name][:300].contiguous()
    save_file(tensors, folder / "model.safetensors")
    assert "but the model embeds 300 ids" in refusal(folder)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("rope_scaling", {"type": "linear", "factor": 2.0}, "rope_scaling is {'type': 'linear'"),
        ("tie_word_embeddings", True, "tie_word_embeddings is True, but osprey computes False"),
        ("mm_projector_type", "linear", "mm_projector_type is 'linear'"),
        ("mm_use_im_start_end", True, "mm_use_im_start_end is True"),
        ("mm_hidden_size", 1024, "mm_hidden_size is 1024, but the vision tower's third stage"),
        ("golden_dims", {"vision_dims": [12, 24]}, "must give four stages' sizes"),
        ("golden_dims", 3, "a field is of the wrong type"),
    ],
)
def test_a_configuration_that_means_other_arithmetic_is_refused(
    folder: Path, field: str, value: object, complaint: str
) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {field: value}))
    assert complaint in refusal(folder)


def test_a_missing_or_damaged_configuration_is_refused(folder: Path) -> None:
    config = folder / "config.json"
    complete = json.loads(config.read_text())
    del complete["intermediate_size"]
    config.write_text(json.dumps(complete))
    assert "field 'intermediate_size' is missing" in refusal(folder)
    config.write_text('{"model_type": "osprey"')
    assert "not readable as JSON" in refusal(folder)
    config.unlink()
    assert "no config.json in the checkpoint" in refusal(folder)


def test_sizes_are_the_published_ones_unless_the_configuration_gives_others() -> None:
    raw = json.loads((golden.CHECKPOINT / "config.json").read_text())
    tiny = OspreyConfig.from_official(raw)
    assert (tiny.vision.widths, tiny.vision.depths) == ((12, 24, 48, 96), (1, 1, 2, 1))
    assert tiny.mask_width == 10
    for field in ("golden_dims", "mm_hidden_size", "mm_vision_tower"):
        del raw[field]
    published = OspreyConfig.from_official(raw)
    assert (published.vision, published.mask_width, published.vision_tower) == (
        PRESETS["osprey-7b"].vision,
        1024,
        CLIP,
    )


def test_the_preset_has_the_published_size_without_memory() -> None:
    recognizer = adapters.load("osprey", preset="osprey-7b", device="meta")
    assert isinstance(recognizer, OspreyRecognizer)
    parameters = dict(recognizer.model.named_parameters())
    assert all(parameter.is_meta for parameter in parameters.values())
    llama = 2 * 32000 * 4096 + 32 * (4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096) + 4096
    counts = {"language_model": llama, "mm_projector": 19_931_136, "mask_extractor": 25_245_696}
    counts["vision_tower"] = 196_227_264
    for part, wanted in counts.items():
        found = sum(p.numel() for name, p in parameters.items() if name.startswith(f"{part}."))
        assert found == wanted, part
    assert recognizer.card.parameters == 6_979_819_712 == sum(counts.values())
    # The real tokenizer's prompt is as long, six tokens apart.
    prompt = recognizer.prompter.prompt(CATEGORY_PROMPT)
    assert prompt.length(IMAGE_TOKENS) == 1092 - 6


def test_official_names_cover_the_published_checkpoint() -> None:
    shapes = expected_shapes(PRESETS["osprey-7b"])
    assert len(shapes) == 688 - 32 - 5  # without rotary buffers and the unused head
    visual = f"{TOWER}visual.trunk."
    assert shapes[f"{visual}stem.0.weight"] == (192, 3, 4, 4)
    assert shapes[f"{visual}stem.1.bias"] == (192,)
    assert shapes[f"{visual}stages.2.downsample.0.weight"] == (384,)
    assert shapes[f"{visual}stages.3.downsample.1.weight"] == (1536, 768, 2, 2)
    block = f"{visual}stages.2.blocks.26."
    found = {name.removeprefix(block): s for name, s in shapes.items() if name.startswith(block)}
    assert found == {
        "gamma": (768,),
        "conv_dw.weight": (768, 1, 7, 7),
        "conv_dw.bias": (768,),
        "norm.weight": (768,),
        "norm.bias": (768,),
        "mlp.fc1.weight": (3072, 768),
        "mlp.fc1.bias": (3072,),
        "mlp.fc2.weight": (768, 3072),
        "mlp.fc2.bias": (768,),
    }
    assert shapes["mask_extractor.res5.weight"] == (1024, 1536)
    assert shapes["mask_extractor.feat_linear.weight"] == (4096, 1024)
    assert shapes["mask_extractor.mask_linear.layers.0.weight"] == (1024, 112 * 112)
    assert shapes["mask_extractor.mask_linear.layers.2.bias"] == (4096,)
    assert shapes["model.mm_projector.2.weight"] == (4096, 4096)
    assert shapes["model.layers.31.mlp.down_proj.weight"] == (4096, 11008)
    assert sum(math.prod(shape) for shape in shapes.values()) == 6_979_819_712


def test_random_weights_follow_the_seed() -> None:
    config = golden.golden().model.config
    one, same, other = (random_model(config, seed, CPU, torch.float32) for seed in (1, 1, 2))
    for name, parameter in one.named_parameters():
        assert torch.equal(parameter, same.get_parameter(name))
    weight = "mask_extractor.region.weight"
    assert not torch.equal(one.get_parameter(weight), other.get_parameter(weight))


def test_the_network_runs_without_numbers() -> None:
    config = golden.golden().model.config
    model = random_model(config, 0, torch.device("meta"), torch.bfloat16)
    image = model.encode_image(torch.zeros(3, 512, 512))
    assert image.tokens.shape == (IMAGE_TOKENS, 64)
    grids = RegionGrids.stack([sample_mask(decode_rle(mask)) for mask in golden.masks()])
    regions = model.encode_regions(image, grids)
    assert (regions.shape, regions.dtype) == ((4, 2, 64), torch.bfloat16)
    assert model.embed([1, 2]).shape == (2, 64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_masks_are_extracted_in_float32_whatever_the_rest_computes_in(dtype: str) -> None:
    recognizer = adapters.load("osprey", golden.CHECKPOINT, device="cpu", dtype=dtype)
    assert isinstance(recognizer, OspreyRecognizer)
    assert recognizer.card.dtype == dtype
    assert recognizer.model.dtype == DTYPES[dtype]
    assert {p.dtype for p in recognizer.model.mask_extractor.parameters()} == {torch.float32}
    logits = recognizer.first_token_logits(QUERY)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_a_preset_or_a_checkpoint_must_be_given_and_known() -> None:
    with pytest.raises(SettingError, match="a checkpoint or a preset"):
        adapters.load("osprey")
    with pytest.raises(SettingError, match="did you mean 'osprey-7b'"):
        adapters.load("osprey", preset="osprey-7", device="meta")


def test_the_card_tells_what_answered() -> None:
    card = golden.golden().card
    assert (card.name, card.checkpoint, card.dtype, card.device, card.revision) == (
        "osprey",
        "checkpoint",
        "float32",
        "cpu",
        REVISION,
    )
    assert card.parameters == sum(p.numel() for p in golden.golden().model.parameters())
    assert set(card.prompts) == set(Task)
    assert card.settings == {}
    assert not card.context_dependent
