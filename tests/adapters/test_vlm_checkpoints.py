"""What the generic adapter loads and refuses, and what a refusal says."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import adapters
from adapters.interface import CheckpointError, DeviceError, JsonScalar, SettingError
from adapters.vlm.adapter import VlmRecognizer
from tests.adapters import vlm_models as tiny

NORM = "language_model.model.norm.weight"
QUERY = tiny.asking([tiny.rectangle(20, 30, 80, 160)])


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "llava"
    tiny.llava(path)
    return path


@pytest.fixture
def folder(llava: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(llava, tmp_path / "copy"))


def load(folder: Path | str, **settings: JsonScalar) -> VlmRecognizer:
    loaded = adapters.load("vlm", folder, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, VlmRecognizer)
    return loaded


def refusal(folder: Path | str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    return str(caught.value)


def edit(path: Path, **values: object) -> None:
    """Change keys of a JSON file; ``None`` removes one."""
    merged = json.loads(path.read_text(encoding="utf-8")) | values
    kept = {key: value for key, value in merged.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def test_missing_and_misshapen_tensors_are_listed_instead_of_made_up(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors[NORM]
    tensors["multi_modal_projector.linear_1.bias"] = torch.zeros(3)
    tensors["lora.weight"] = torch.zeros(2)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    message = refusal(folder)
    assert "copy: the weights do not fit the model its config.json describes" in message
    assert "1 missing: model.language_model.norm.weight" in message
    assert "1 unexpected: lora.weight" in message
    assert "linear_1.bias is [3], expected [32]" in message


def test_tensors_the_model_has_no_place_for_are_left_out(folder: Path, llava: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["vision_tower.vision_model.embeddings.position_ids"] = torch.arange(17)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert torch.equal(
        load(folder).first_token_logits(QUERY), load(llava).first_token_logits(QUERY)
    )


def test_shards_and_plain_tensors_in_bin_files_are_read(folder: Path, llava: Path) -> None:
    expected = load(llava).first_token_logits(QUERY)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    assert torch.equal(load(folder).first_token_logits(QUERY), expected)
    (folder / "pytorch_model.bin").unlink()
    files = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(tensors)}
    for file in set(files.values()):
        shard = {name: tensor for name, tensor in tensors.items() if files[name] == file}
        save_file(shard, folder / file, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": files}), encoding="utf-8")
    assert torch.equal(load(folder).first_token_logits(QUERY), expected)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "1 of 2 weight files named by model.safetensors.index.json are missing" in refusal(
        folder
    )


def test_a_truncated_file_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "copy: the weights cannot be loaded" in refusal(folder)


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_is_never_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / "model.safetensors").unlink()
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump({NORM: Malicious()}, file)
    assert "the weights cannot be loaded" in refusal(folder)
    torch.save({NORM: Malicious()}, folder / "pytorch_model.bin")
    assert "the weights cannot be loaded" in refusal(folder)
    assert not (tmp_path / "pwned").exists()


def test_code_in_a_checkpoint_is_never_run(
    folder: Path, llava: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "open('pwned', 'w').close()\nclass Own: pass\n"
    (folder / "own.py").write_text(code)
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(code)
    classes = ("Config", "ModelForImageTextToText", "Processor", "Tokenizer", "ImageProcessor")
    own = {f"Auto{name}": "own.Own" for name in classes}
    for name in ("config.json", "processor_config.json", "tokenizer_config.json"):
        edit(folder / name, auto_map=own)
    assert torch.equal(
        load(folder).first_token_logits(QUERY), load(llava).first_token_logits(QUERY)
    )
    edit(folder / "config.json", model_type="my_own_vlm")
    message = refusal(folder)
    assert "model_type is 'my_own_vlm', which transformers does not know" in message
    assert "the code it comes with is never run; write a worker for it" in message
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("model_type", "complaint"),
    [
        ("llava_nxt", "did you mean 'llava_next'"),
        ("internvl_chat", "that is a checkpoint for the adapter 'wow-seg'"),
        ("osprey", "that is a checkpoint for the adapter 'osprey'"),
        ("llava_qwen", "that is a checkpoint for the adapter 'pam'"),
        ("llava_llama", "that is a checkpoint for the adapter 'dam'"),
        ("clip", "which is no image-text-to-text model"),
        ("florence2", "an encoder-decoder"),
        (None, "model_type is 'None'"),
    ],
)
def test_a_model_that_is_not_for_this_adapter_is_named(
    model_type: str | None, complaint: str, folder: Path
) -> None:
    edit(folder / "config.json", model_type=model_type, text_config={}, vision_config={})
    assert complaint in refusal(folder)


def test_a_missing_or_damaged_configuration_is_refused(folder: Path) -> None:
    config = folder / "config.json"
    edit(config, text_config=5)
    assert "copy: config.json does not describe a llava" in refusal(folder)
    config.write_text('{"model_type": "llava"', encoding="utf-8")
    assert "not readable as JSON" in refusal(folder)
    config.unlink()
    assert "no config.json in the checkpoint" in refusal(folder)


@pytest.mark.parametrize(
    ("processor", "image_processor", "complaint"),
    [
        ("PixtralProcessor", "PixtralImageProcessor", "needs torchvision, which regionbench"),
        ("Llama4Processor", "Llama4ImageProcessor", "needs torchvision, which regionbench"),
        ("InstructBlipProcessor", "BlipImageProcessor", "it needs a qformer_tokenizer"),
        ("LlavaProcessor", "NoSuchProcessor", "cannot be loaded: Unrecognized image processor"),
    ],
)
def test_a_processor_that_cannot_be_used_here_says_why(
    processor: str, image_processor: str, complaint: str, folder: Path
) -> None:
    edit(
        folder / "processor_config.json",
        processor_class=processor,
        image_processor={"image_processor_type": image_processor},
    )
    message = refusal(folder)
    assert message.startswith(f"copy: the processor {processor} ")
    assert complaint in message
    assert len(message) < 500


def test_a_checkpoint_without_tokenizer_or_processor_is_refused(folder: Path, llava: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert "the processor LlavaProcessor cannot be loaded" in refusal(folder)
    shutil.copytree(llava, folder, dirs_exist_ok=True)
    (folder / "processor_config.json").unlink()
    assert "the processor LlavaProcessor cannot be loaded" in refusal(folder)


def test_a_chat_template_without_pictures_is_refused(folder: Path) -> None:
    template = folder / "chat_template.jinja"
    template.write_text("{% for m in messages %}{{ m['content'][-1]['text'] }}{% endfor %}")
    assert "its chat template leaves the picture out" in refusal(folder)
    template.write_text("{% for m in messages %}{{ 'user: ' + m['content'] }}{% endfor %}")
    assert "its chat template takes no question with a picture" in refusal(folder)


def test_a_template_that_can_think_is_asked_not_to(folder: Path, llava: Path) -> None:
    expected = load(llava).first_token_logits(QUERY)
    template = folder / "chat_template.jinja"
    template.write_text(
        template.read_text()
        + "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
    )
    assert torch.equal(load(folder).first_token_logits(QUERY), expected)


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "generation_config.json",
        "processor_config.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "model.safetensors",
    ],
)
def test_the_digest_covers_every_file_answers_depend_on(name: str, folder: Path) -> None:
    before = load(folder).card.checkpoint_digest
    (folder / "README.md").write_text("a tiny model")
    assert load(folder).card.checkpoint_digest == before
    path = folder / name
    if path.suffix == ".safetensors":
        tensors = load_file(path)
        save_file(tensors | {NORM: tensors[NORM] + 1}, path, metadata={"format": "pt"})
    else:
        path.write_text(path.read_text() + "\n")
    assert load(folder).card.checkpoint_digest != before


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="neither a folder here nor in the local Hub cache"):
        adapters.load("vlm", "nobody/nothing", revision="v1")
    with pytest.raises(CheckpointError, match="needs a checkpoint: a folder or a Hub id"):
        adapters.load("vlm")
    with pytest.raises(SettingError, match="has no presets"):
        adapters.load("vlm", preset="7b")


def test_a_device_that_is_not_there_is_refused(llava: Path) -> None:
    absent = "cuda:7" if torch.cuda.is_available() else "cuda"
    with pytest.raises(DeviceError, match="not on this machine"):
        adapters.load("vlm", llava, device=absent)
