"""Layouts that load, checkpoints that are refused and why, and what inspection finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters.dam import ENTRY
from adapters.dam.checkpoint import load_model
from adapters.dam.configuration import DamConfig
from adapters.dam.inspection import inspect
from adapters.dam.layout import find_layout
from adapters.inspection import Verdict
from adapters.interface import CheckpointError
from tests.adapters import dam_goldens as golden

PARTS = ("llm", "vision_tower", "mm_projector", "context_provider")
GATE = "context_provider_module.layers.0.attn_factor"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        golden.load(folder)
    return str(caught.value)


def same_weights(folder: Path) -> bool:
    loaded = load_model(find_layout(folder), golden.CPU, torch.float32).state_dict()
    wanted = golden.golden().model.state_dict()
    return all(torch.equal(tensor, wanted[name]) for name, tensor in loaded.items())


def test_the_self_contained_layout_is_the_same_and_its_code_is_never_run(folder: Path) -> None:
    (folder / "llava_llama.py").write_text("raise SystemExit('remote code was run')\n")
    auto_map = {"AutoConfig": "llava_llama.LlavaConfig", "AutoModel": "llava_llama.LlavaLlamaModel"}
    edit(folder / "config.json", lambda root: root.update(auto_map=auto_map))
    assert same_weights(folder)
    query = golden.golden_query(golden.cases()[:1])
    found, wanted = (r.first_token_logits(query) for r in (golden.load(folder), golden.golden()))
    assert torch.equal(found, wanted)


def test_a_sharded_language_model_loads(folder: Path) -> None:
    llm = folder / "llm"
    tensors = load_file(llm / "model.safetensors")
    names = sorted(tensors)
    shards = {f"model-{i + 1:05}-of-00002.safetensors": names[i::2] for i in range(2)}
    for file, chosen in shards.items():
        save_file({name: tensors[name] for name in chosen}, llm / file)
    (llm / "model.safetensors").unlink()
    index = {"weight_map": {name: file for file, chosen in shards.items() for name in chosen}}
    (llm / "model.safetensors.index.json").write_text(json.dumps(index))
    assert same_weights(folder)
    (llm / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors" in refusal(folder)
    assert "copy/llm" in refusal(folder)


def test_parts_may_be_plain_pytorch_files(folder: Path) -> None:
    for part in PARTS:
        file = folder / part / "model.safetensors"
        torch.save(load_file(file), folder / part / "pytorch_model.bin")
        file.unlink()
    assert same_weights(folder)


def test_paths_of_the_machine_it_was_trained_on_mean_nothing(folder: Path) -> None:
    def move(values: dict[str, Any]) -> None:
        values["_name_or_path"] = values["resume_path"] = "/nowhere/dam"

    for path in (folder / "config.json", *(folder / part / "config.json" for part in PARTS)):
        edit(path, move)
    assert same_weights(folder)


def test_unused_tensors_may_be_missing(folder: Path) -> None:
    file = folder / "vision_tower" / "model.safetensors"
    tensors = load_file(file)
    tensors = {name: t for name, t in tensors.items() if not name.startswith("vision_model.head.")}
    save_file(tensors, file)
    assert same_weights(folder)
    assert golden.load(folder).card.parameters < golden.golden().card.parameters
    assert ENTRY.inspect(folder).complete
    kept = {n: t for n, t in tensors.items() if "post_layernorm" not in n}
    save_file(kept, file)
    assert same_weights(folder)


def test_a_checkpoint_without_context_provider_uses_the_full_picture(folder: Path) -> None:
    shutil.rmtree(folder / "context_provider")
    edit(folder / "config.json", lambda root: root.update(context_provider_cfg=None))
    query = golden.golden_query([case for case in golden.cases() if case["id"] in ("a1", "a4")])
    found = golden.load(folder).first_token_logits(query)
    wanted = golden.golden().first_token_logits(query)
    assert not torch.allclose(found[0], wanted[0], atol=1e-3)
    torch.testing.assert_close(found[1], wanted[1], atol=1e-4, rtol=0)
    assert "without context provider" in ENTRY.inspect(folder).findings[0].found


@pytest.mark.parametrize(
    ("file", "change", "token"),
    [
        ("generation_config.json", {"eos_token_id": [343, 2]}, 343),
        ("generation_config.json", {"eos_token_id": 343}, 343),
        ("config.json", {"eos_token_id": 343}, 2),
    ],
)
def test_answers_end_where_the_generation_configuration_says(
    folder: Path, file: str, change: dict[str, Any], token: int
) -> None:
    edit(folder / "llm" / file, lambda values: values.update(change))
    assert DamConfig.from_layout(find_layout(folder)).stop_ids[0] == token


def test_a_checkpoint_without_generation_configuration_ends_at_its_own_token(folder: Path) -> None:
    (folder / "llm" / "generation_config.json").unlink()
    assert DamConfig.from_layout(find_layout(folder)).stop_ids == (2,)
    edit(folder / "llm" / "config.json", lambda values: values.pop("eos_token_id"))
    assert "llm/config.json: field 'eos_token_id' is missing" in refusal(folder)


def test_the_context_is_what_the_tokenizer_was_limited_to(folder: Path) -> None:
    edit(folder / "llm" / "config.json", lambda v: v.update(tokenizer_model_max_length=300))
    assert DamConfig.from_layout(find_layout(folder)).max_positions == 300
    edit(folder / "llm" / "config.json", lambda v: v.pop("tokenizer_model_max_length"))
    assert DamConfig.from_layout(find_layout(folder)).max_positions == 4096


@pytest.mark.parametrize(("selected", "depth"), [(-2, 2), (-1, 3), (1, 1)])
def test_the_selected_layer_says_how_many_blocks_act(
    folder: Path, selected: int, depth: int
) -> None:
    edit(folder / "config.json", lambda root: root.update(mm_vision_select_layer=selected))
    assert DamConfig.from_layout(find_layout(folder)).depth == depth


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_named(folder: Path, part: str) -> None:
    shutil.rmtree(folder / part)
    assert f"copy: the sub-folder {part}/ is missing" in refusal(folder)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("config.json", "copy: no config.json"),
        ("vision_tower/config.json", "vision_tower: no config.json"),
        ("mm_projector/model.safetensors", "copy/mm_projector: no \\*.safetensors"),
        ("llm/tokenizer.model", "llm: no tokenizer in the checkpoint; expected tokenizer.model"),
    ],
)
def test_a_missing_file_is_named(folder: Path, file: str, complaint: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=complaint):
        golden.load(folder)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("config.json", "config.json: not readable as JSON"),
        ("context_provider/config.json", "config.json: not readable as JSON"),
        ("context_provider/model.safetensors", "model.safetensors is not a whole safetensors"),
        ("llm/tokenizer.model", "tokenizer.model is damaged"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, file: str, complaint: str) -> None:
    path = folder / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=complaint):
        golden.load(folder)


def test_missing_unexpected_and_misshapen_tensors_are_listed_with_their_part(folder: Path) -> None:
    file = folder / "context_provider" / "model.safetensors"
    tensors = load_file(file)
    del tensors[GATE]
    tensors["stranger"] = torch.zeros(1)
    norm = "context_provider_module.layers.1.layer_norm1.bias"
    tensors[norm] = torch.zeros(3)
    save_file(tensors, file)
    message = refusal(folder)
    assert message.startswith("copy/context_provider: ")
    assert f"1 missing: {GATE}" in message
    assert "1 unexpected: stranger" in message
    assert f"{norm} is [3], expected [32]" in message


def test_a_tokenizer_of_another_size_is_refused(folder: Path) -> None:
    file = folder / "llm" / "model.safetensors"
    tensors = load_file(file)
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        tensors[name] = torch.cat([tensors[name], tensors[name][:1]])
    save_file(tensors, file)
    edit(folder / "llm" / "config.json", lambda values: values.update(vocab_size=513))
    assert "has 512 pieces, but the language model a vocabulary of 513" in refusal(folder)


@pytest.mark.parametrize(
    ("file", "change", "complaint"),
    [
        ("config.json", {"model_type": "llava_qwen2"}, "model_type is 'llava_qwen2'"),
        ("config.json", {"mask_encoder_cfg": {"a": 1}}, "mask_encoder_cfg is {'a': 1}"),
        ("config.json", {"image_aspect_ratio": "pad"}, "image_aspect_ratio is 'pad'"),
        ("config.json", {"mm_use_im_start_end": True}, "mm_use_im_start_end is True"),
        ("config.json", {"mm_vision_select_layer": -9}, "mm_vision_select_layer asks for -5"),
        ("vision_tower/config.json", {"num_mask_channels": 0}, "num_mask_channels is 0"),
        ("llm/config.json", {"hidden_size": "wide"}, "a field is of the wrong type"),
        ("vision_tower/preprocessor_config.json", {"image_std": [1, 1, 1]}, "image_std is"),
        ("mm_projector/config.json", {"mm_projector_type": "linear"}, "mm_projector_type is"),
        ("context_provider/config.json", {"masked_cross_attn": True}, "masked_cross_attn is True"),
        ("context_provider/config.json", {"num_hidden_layers": 2}, "num_hidden_layers is 2"),
        ("context_provider/config.json", {"context_provider_type": "x"}, "provider_type is 'x'"),
        ("llm/config.json", {"rope_scaling": {"type": "linear"}}, "rope_scaling is"),
        ("llm/config.json", {"model_type": "mistral"}, "model_type is 'mistral'"),
    ],
)
def test_another_models_configuration_is_refused(
    folder: Path, file: str, change: dict[str, Any], complaint: str
) -> None:
    edit(folder / file, lambda values: values.update(change))
    message = refusal(folder)
    assert complaint in message
    assert file in message


@pytest.mark.parametrize(
    ("file", "field", "complaint"),
    [
        ("config.json", "context_provider_cfg", "without context_provider_cfg, and so not a DAM"),
        ("vision_tower/config.json", "num_mask_channels", "num_mask_channels is None"),
        ("vision_tower/config.json", "hidden_size", "field 'hidden_size' is missing"),
    ],
)
def test_a_missing_field_is_named(folder: Path, file: str, field: str, complaint: str) -> None:
    edit(folder / file, lambda values: values.pop(field))
    assert complaint in refusal(folder)


def test_another_models_checkpoint_is_refused() -> None:
    other = golden.FOLDER.parent / "wow_seg" / "checkpoint"
    assert "model_type is 'internvl_chat'" in refusal(other)


@pytest.mark.parametrize(
    "file",
    [
        *(f"{part}/config.json" for part in PARTS),
        *("config.json", "llm/tokenizer.model", "llm/generation_config.json"),
    ],
)
def test_the_digest_covers_every_part_and_no_path(folder: Path, file: str) -> None:
    wanted = find_layout(golden.CHECKPOINT).digest()
    assert find_layout(folder).digest() == wanted
    (folder / file).write_bytes((folder / file).read_bytes() + b"\n")
    assert find_layout(folder).digest() != wanted


def test_inspection_finds_a_whole_checkpoint_without_loading_it() -> None:
    found = ENTRY.inspect(golden.CHECKPOINT, category_prompt="<image> Name it.")
    assert found.complete
    assert [finding.subject for finding in found.findings] == ["configuration", *PARTS, "tokenizer"]
    assert found.parameters == golden.golden().card.parameters
    assert found.bytes_by_dtype["bfloat16"] == 2 * found.parameters
    assert found.plan["prompts.category"] == "<image> Name it."


def test_inspection_reports_every_broken_part_at_once(folder: Path) -> None:
    (folder / "mm_projector" / "model.safetensors").unlink()
    (folder / "llm" / "tokenizer.model").write_bytes(b"no tokenizer")
    provider = folder / "context_provider" / "model.safetensors"
    tensors = load_file(provider)
    del tensors[GATE]
    save_file(tensors, provider)
    found = inspect(folder)
    verdicts = {finding.subject: finding.verdict for finding in found.findings}
    assert verdicts == {
        "configuration": Verdict.OK,
        "llm": Verdict.OK,
        "vision_tower": Verdict.OK,
        "mm_projector": Verdict.MISSING,
        "context_provider": Verdict.MISSING,
        "tokenizer": Verdict.DAMAGED,
    }
    assert not found.complete


def test_inspection_of_another_model_says_so() -> None:
    found = inspect(golden.FOLDER.parent / "wow_seg" / "checkpoint")
    assert not found.complete
    assert found.parameters == 0
    assert "model_type is 'internvl_chat'" in found.findings[0].found
