"""What is refused as a checkpoint or a device, and what the refusal says."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import adapters
from adapters.checkpoint import find_checkpoint
from adapters.device import resolve_device, resolve_dtype, upload
from adapters.interface import CheckpointError, DeviceError, SettingError, Task
from adapters.wow_seg.adapter import WowSegRecognizer
from tests.adapters import wow_seg_goldens as golden

EMBEDDING = "language_model.model.embed_tokens.weight"
NORM = "mlp1.0.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "copy"))


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    return find_checkpoint(golden.CHECKPOINT).tensors()


def load(folder: Path | str) -> WowSegRecognizer:
    loaded = adapters.load("wow-seg", folder, device="cpu")
    assert isinstance(loaded, WowSegRecognizer)
    return loaded


def refusal(folder: Path | str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    return str(caught.value)


def test_missing_unexpected_and_misshapen_tensors_are_all_listed(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    del tensors[EMBEDDING]
    tensors["sam.prompt_encoder.weight"] = torch.zeros(2)
    tensors[NORM] = torch.zeros(3)
    save_file(tensors, folder / "model.safetensors")
    message = refusal(folder)
    assert "do not fit the model its config.json describes" in message
    assert f"1 missing: {EMBEDDING}" in message
    assert "1 unexpected: sam.prompt_encoder.weight" in message
    assert f"1 of the wrong shape: {NORM} is [3], expected [128]" in message


def test_a_long_list_of_missing_tensors_is_cut(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    few = {name: tensors[name] for name in sorted(tensors)[:4]}
    save_file(few, folder / "model.safetensors")
    assert f"{len(tensors) - 4} missing" in refusal(folder)
    assert f"and {len(tensors) - 14} more" in refusal(folder)


def test_a_tensor_in_two_files_is_refused(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file({NORM: tensors[NORM]}, folder / "extra.safetensors")
    assert f"repeats 1 tensors of another file, such as '{NORM}'" in refusal(folder)


def test_a_truncated_file_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "model.safetensors is not a whole safetensors file" in refusal(folder)


def test_plain_tensors_in_bin_files_are_read(
    folder: Path, tensors: dict[str, torch.Tensor]
) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    query = golden.query(golden.images()[2], [0])
    assert torch.equal(
        load(folder).first_token_logits(query), load(golden.CHECKPOINT).first_token_logits(query)
    )


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


def test_a_pickle_is_never_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / "model.safetensors").unlink()
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump({NORM: Malicious()}, file)
    assert "holds more than plain tensors" in refusal(folder)
    torch.save({NORM: Malicious()}, folder / "pytorch_model.bin")
    assert "holds more than plain tensors" in refusal(folder)
    torch.save([torch.zeros(2)], folder / "pytorch_model.bin")
    assert "is not a mapping of names to tensors" in refusal(folder)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "weights.pkl", "last.ckpt"])
def test_other_pickles_are_refused_by_name(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder / name)
    assert f"only {name} here; pickled weights are refused" in refusal(folder)


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "no *.safetensors (nor *.bin) weights" in refusal(folder)


def test_a_missing_or_damaged_configuration_is_refused(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text('{"model_type": "internvl_chat"')
    assert "config.json: not readable as JSON" in refusal(folder)
    config.write_text('{"model_type": "internvl_chat"}')
    assert "field 'vision_config' is missing" in refusal(folder)
    config.write_text('{"vision_config": {}, "llm_config": {}, "model_type": "llava"}')
    assert "model_type is 'llava', but wow-seg has 'internvl_chat'" in refusal(folder)
    config.write_text("[]")
    assert "expected a JSON object" in refusal(folder)
    config.unlink()
    assert "no config.json in the checkpoint" in refusal(folder)


def test_a_missing_or_foreign_tokenizer_is_refused(folder: Path) -> None:
    added = folder / "tokenizer.json"
    added.write_text("{}")
    assert "the tokenizer is damaged" in refusal(folder)
    for name in ("tokenizer.json", "vocab.json"):
        (folder / name).unlink()
    assert "no tokenizer in the checkpoint" in refusal(folder)


@pytest.mark.parametrize("source", ["no/such/folder", "missing", "/no/such/folder", "../x"])
def test_a_checkpoint_that_is_nowhere_is_refused(source: str) -> None:
    assert f"no checkpoint at {source!r}" in refusal(source)


def test_a_hub_id_that_cannot_be_reached_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = refusal("AAwcAA/WOW-Seg")
    assert "neither a folder here nor in the local Hub cache" in message
    assert "give the folder" in message


def test_the_digest_follows_contents_and_not_the_place(folder: Path) -> None:
    original = find_checkpoint(golden.CHECKPOINT).digest()
    assert find_checkpoint(folder).digest() == original
    (folder / "README.md").write_text("notes")
    assert find_checkpoint(folder).digest() == original
    assert load(folder).card.checkpoint_digest == original
    for name in ("config.json", "model.safetensors", "vocab.json"):
        contents = (folder / name).read_bytes()
        (folder / name).write_bytes(contents + b" ")
        assert find_checkpoint(folder).digest() != original, name
        (folder / name).write_bytes(contents)


def test_a_preset_needs_no_memory_on_the_meta_device() -> None:
    model = adapters.load("wow-seg", preset="internvl3-1b", device="meta")
    assert isinstance(model, WowSegRecognizer)
    assert model.card.parameters == 938_193_024
    assert model.card.device == "meta"
    template = model.context.settings.template(Task.CATEGORY)
    prompt = model.context.prompter.prompt(template, 256 * 13, [27])
    # The real tokenizer's prompt around the same image tokens is about as long.
    assert 40 < len(prompt.input_ids) - 256 * 13 - 27 < 120
    assert max(prompt.input_ids) < model.context.model.config.language.vocab_size


def test_a_preset_or_a_checkpoint_must_be_given_and_known() -> None:
    with pytest.raises(SettingError, match="a checkpoint or a preset"):
        adapters.load("wow-seg")
    with pytest.raises(SettingError, match="did you mean 'internvl3-1b'"):
        adapters.load("wow-seg", preset="internvl3", device="meta")


def test_a_device_that_is_not_there_is_refused() -> None:
    absent = "cuda:7" if torch.cuda.is_available() else "cuda"
    with pytest.raises(DeviceError, match=f"device '{absent}' is not on this machine"):
        adapters.load("wow-seg", golden.CHECKPOINT, device=absent)
    with pytest.raises(DeviceError, match="did you mean 'cuda'"):
        resolve_device("cude")


@pytest.mark.parametrize(
    ("held", "wanted", "calls"),
    [
        # What CUDA may read later is memory that PyTorch keeps for it.
        ("cpu", "cuda", ["pin_memory", "to cuda without waiting"]),
        ("cpu", "mps", ["to mps"]),
        ("cpu", "cpu", ["to cpu"]),
        ("cuda", "cuda", ["to cuda"]),
    ],
)
def test_the_host_waits_for_an_upload_unless_its_memory_is_kept(
    held: str, wanted: str, calls: list[str]
) -> None:
    done = []

    class Recorded(torch.Tensor):
        @property
        def device(self) -> torch.device:  # type: ignore[override]
            return torch.device(held)

        def pin_memory(self, device: object = None) -> torch.Tensor:
            done.append("pin_memory")
            return self

        def to(self, device: object, non_blocking: bool = False) -> torch.Tensor:  # type: ignore[override]
            done.append(f"to {device}{' without waiting' if non_blocking else ''}")
            return self

    upload(torch.zeros(2).as_subclass(Recorded), torch.device(wanted))
    assert done == calls


def test_number_types_follow_the_device_unless_named() -> None:
    cpu, meta = torch.device("cpu"), torch.device("meta")
    assert resolve_dtype("auto", cpu) is torch.float32
    assert resolve_dtype("auto", meta) is torch.bfloat16
    assert resolve_dtype("float16", cpu) is torch.float16
    with pytest.raises(SettingError, match="did you mean 'float32'"):
        resolve_dtype("fp32", cpu)


def test_half_precision_models_answer() -> None:
    model = adapters.load("wow-seg", golden.CHECKPOINT, device="cpu", dtype="bfloat16", max_tiles=1)
    assert isinstance(model, WowSegRecognizer)
    logits = model.first_token_logits(golden.query(golden.images()[2], [0, 1]))
    full = load(golden.CHECKPOINT)
    assert model.card.dtype == "bfloat16"
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()
    assert full.card.dtype == "float32"
