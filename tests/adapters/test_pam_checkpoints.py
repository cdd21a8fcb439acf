"""PAM checkpoints as they are found on disk: layouts, damage, other models'; and presets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import adapters
from adapters.batches import Rows
from adapters.interface import SettingError, Task
from adapters.language import LanguageConfig
from adapters.pam.adapter import PamRecognizer
from adapters.pam.boxes import BoxRule, read_boxes
from adapters.pam.checkpoint import empty_model
from adapters.pam.configuration import PRESETS, PamConfig, TowerConfig
from adapters.pam.tower import AUTHORS_FILE, INSIDE
from tests.adapters import pam_goldens as golden
from tests.adapters.pam_copies import (
    Tensors,
    assert_same_weights,
    change_json,
    copied,
    refusal,
    without,
    write,
)
from tests.adapters.pam_goldens import load

VIDEO_ONLY = ("model.frame_newline", "model.vision_resampler.proj.")
NORM = "model.vision_resampler.norm_final_attn.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def tensors() -> Tensors:
    return dict(golden.tensors())


# Layouts.


def to_one_file(folder: Path, tensors: Tensors) -> None:
    write(folder, tensors)


def to_bin(folder: Path, tensors: Tensors) -> None:
    write(folder, {})
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")


def without_head(folder: Path, tensors: Tensors) -> None:
    write(folder, without(tensors, "lm_head."))


def with_another_head(folder: Path, tensors: Tensors) -> None:
    # The embedding is tied: whatever was stored as the head is not read.
    write(folder, tensors | {"lm_head.weight": torch.zeros_like(tensors["lm_head.weight"])})


def without_tower_inside(folder: Path, tensors: Tensors) -> None:
    write(folder, without(tensors, INSIDE))


def without_tower_beside(folder: Path, tensors: Tensors) -> None:
    (folder / AUTHORS_FILE).unlink()


def without_video(folder: Path, tensors: Tensors) -> None:
    write(folder, without(tensors, *VIDEO_ONLY))


def with_cut_vocabulary(folder: Path, tensors: Tensors) -> None:
    names = ("model.embed_tokens.weight", "lm_head.weight")
    write(folder, tensors | {name: tensors[name][:402] for name in names})
    change_json(folder / "config.json", vocab_size=402)


@pytest.mark.parametrize(
    "change",
    [
        *(to_one_file, to_bin, without_head, with_another_head, without_tower_inside),
        *(without_tower_beside, without_video, with_cut_vocabulary),
    ],
    ids=lambda change: change.__name__,
)
def test_every_layout_gives_the_same_weights(
    change: Callable[[Path, Tensors], None], folder: Path, tensors: Tensors
) -> None:
    change(folder, tensors)
    assert_same_weights(load(folder))


def test_an_untied_head_is_read(folder: Path, tensors: Tensors) -> None:
    head = torch.randn(418, 64)
    write(folder, tensors | {"lm_head.weight": head})
    change_json(folder / "config.json", tie_word_embeddings=False)
    model = load(folder).model
    assert torch.equal(model.language_model.lm_head.weight, head[:402])
    write(folder, without(tensors, "lm_head."))
    assert "1 missing: lm_head.weight" in refusal(folder)


def test_a_model_is_found_in_the_folder_the_hub_puts_it_in(tmp_path: Path) -> None:
    inner = Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "PAM-3B"))
    recognizer = load(tmp_path)
    assert_same_weights(recognizer)
    assert recognizer.card.checkpoint == tmp_path.name
    assert recognizer.card.checkpoint_digest == golden.golden().card.checkpoint_digest
    assert load(inner).card.checkpoint == "PAM-3B"
    shutil.copytree(golden.CHECKPOINT, tmp_path / "PAM-1.5B")
    assert "several checkpoints; give the folder of one: PAM-1.5B, PAM-3B" in refusal(tmp_path)


def test_a_hub_id_gives_its_inner_folder_and_the_base_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(golden.CHECKPOINT, tmp_path / "PAM-1.5B")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    card = load("Perceive-Anything/PAM-1.5B").card
    assert card.checkpoint == "Perceive-Anything/PAM-1.5B"
    assert card.base_model == "Qwen/Qwen2.5-1.5B-Instruct"


def test_the_vocabulary_ends_with_the_tokenizer(folder: Path) -> None:
    model = golden.golden().model
    assert model.language_model.model.embed_tokens.weight.shape == (402, 64)
    assert model.language_model.lm_head.weight is model.language_model.model.embed_tokens.weight
    # What the official loader does where the configuration does not say otherwise.
    change_json(folder / "config.json", mm_use_im_patch_token=None)
    recognizer = load(folder)
    assert recognizer.model.config.language.vocab_size == 403
    assert recognizer.prompter.tokenizer.convert_tokens_to_ids("<im_patch>") == 402


def test_the_digest_follows_the_tower_and_the_generation_defaults(folder: Path) -> None:
    original = golden.golden().card.checkpoint_digest
    assert load(folder).card.checkpoint_digest == original
    change_json(folder / "generation_config.json", repetition_penalty=1.1)
    changed = load(folder).card
    assert changed.settings["repetition_penalty"] == 1.1
    assert changed.checkpoint_digest != original
    (folder / AUTHORS_FILE).unlink()
    assert load(folder).card.checkpoint_digest not in (original, changed.checkpoint_digest)


# Damage.


def test_missing_unexpected_and_misshapen_tensors_are_all_listed(
    folder: Path, tensors: Tensors
) -> None:
    del tensors["model.image_newline"]
    tensors |= {"model.mm_projector.0.weight": torch.zeros(2), NORM: torch.zeros(3)}
    write(folder, tensors)
    message = refusal(folder)
    assert "1 missing: model.image_newline" in message
    assert "1 unexpected: model.mm_projector.0.weight" in message
    assert f"1 of the wrong shape: {NORM} is [3], expected [32]" in message


def test_a_missing_shard_is_named(folder: Path) -> None:
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "are missing: model-00002-of-00002.safetensors" in refusal(folder)


@pytest.mark.parametrize("name", ["model-00001-of-00002.safetensors", AUTHORS_FILE])
def test_a_truncated_file_is_named(name: str, folder: Path) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:5000])
    assert name in refusal(folder)


def test_a_missing_or_foreign_tokenizer_is_refused(folder: Path, tensors: Tensors) -> None:
    change_json(folder / "config.json", vocab_size=400)
    assert "the tokenizer has 402 entries, more than the vocab_size 400" in refusal(folder)
    for name in ("tokenizer.json", "vocab.json"):
        (folder / name).unlink()
    assert "no tokenizer in the checkpoint" in refusal(folder)


# Configurations.


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"mm_vision_tower": "google/siglip-so400m-patch14-384"}, "is this a LLaVA checkpoint?"),
        ({"mm_vision_tower": None}, "whose mm_vision_tower is None is not a PAM"),
        ({"model_type": "llava"}, "model_type is 'llava', but pam has 'llava_qwen'"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu', but pam computes 'silu'"),
        ({"use_sliding_window": True}, "use_sliding_window is True"),
        ({"mm_projector_type": "linear"}, "mm_projector_type is 'linear'"),
        ({"mm_use_im_start_end": True}, "mm_use_im_start_end is True"),
        ({"hidden_size": None}, "field 'hidden_size' is missing"),
        ({"vocab_size": "many"}, "a field is of the wrong type"),
    ],
)
def test_a_configuration_of_something_else_is_refused(
    changes: dict[str, Any], complaint: str, folder: Path
) -> None:
    change_json(folder / "config.json", **changes)
    assert complaint in refusal(folder)


def test_without_generation_defaults_the_configuration_says_when_to_stop(folder: Path) -> None:
    (folder / "generation_config.json").unlink()
    recognizer = load(folder)
    assert recognizer.generation.stop_ids == (382,)
    assert recognizer.card.settings["repetition_penalty"] == 1.0


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"repetition_penalty": 0}, "repetition_penalty is 0 in generation_config.json"),
        ({"repetition_penalty": "1.1"}, "repetition_penalty is '1.1'"),
        ({"eos_token_id": "<|im_end|>"}, "eos_token_id is '<|im_end|>'"),
        ({"eos_token_id": []}, "eos_token_id is []"),
    ],
)
def test_generation_defaults_that_cannot_be_used_are_refused(
    changes: dict[str, Any], complaint: str, folder: Path
) -> None:
    change_json(folder / "generation_config.json", **changes)
    assert complaint in refusal(folder)


# Presets.


def counted(config: PamConfig) -> int:
    return sum(parameter.numel() for parameter in empty_model(config).language_model.parameters())


@pytest.mark.parametrize(
    ("preset", "parameters", "language_model"),
    [("pam-1.5b", 1_770_212_161, 1_543_714_304), ("pam-3b", 3_316_626_241, 3_085_938_688)],
)
def test_presets_have_the_published_sizes_and_need_no_memory_on_the_meta_device(
    preset: str, parameters: int, language_model: int
) -> None:
    recognizer = adapters.load("pam", preset=preset, device="meta")
    assert isinstance(recognizer, PamRecognizer)
    card, config = recognizer.card, recognizer.model.config
    assert (card.parameters, card.device) == (parameters, "meta")
    assert card.settings["vision_tower"] == "random weights"
    # Qwen2.5's own count is with the rows that the loader cuts off.
    rows = config.stored_vocabulary - config.language.vocab_size
    assert counted(config) + rows * config.language.hidden_size == language_model
    prompt = recognizer.prompter.prompt("Classify this subject and provide its label.")
    # The real tokenizer's is of 1,074 positions.
    assert abs(prompt.length - 1074) < 10
    assert max(*prompt.before, *prompt.after) < config.language.vocab_size


def test_a_preset_runs_on_the_meta_device_up_to_its_logits() -> None:
    recognizer = adapters.load("pam", preset="pam-1.5b", device="meta")
    assert isinstance(recognizer, PamRecognizer)
    query = golden.asking([golden.rectangle(3, 4, 50, 60)] * 2, Task.PHRASE)
    boxes = read_boxes(query, BoxRule.MASK)
    (wave,) = recognizer.waves(query, recognizer.prompt(query), boxes)
    assert wave.prompts.device.type == "meta"
    assert wave.prompts.shape[0] == 2
    assert Rows(recognizer.model.language_model, wave.prefix).start(wave.prompts).is_meta


def test_random_weights_are_the_same_for_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    small = PamConfig(
        LanguageConfig(700, 32, 2, 4, 2, 48, tie_word_embeddings=True),
        stored_vocabulary=700,
        tower=TowerConfig(8, blocks=(1, 1, 2, 1), global_blocks=(3,), width=16),
        perceiver_mlp=32,
    )
    monkeypatch.setitem(PRESETS, "pam-3b", small)
    query = golden.asking([golden.rectangle(3, 4, 50, 60)])

    def logits(seed: int) -> torch.Tensor:
        recognizer = adapters.load("pam", preset="pam-3b", device="cpu", seed=seed)
        assert isinstance(recognizer, PamRecognizer)
        return recognizer.first_token_logits(query)

    assert torch.isfinite(logits(0)).all()
    assert torch.equal(logits(0), logits(0))
    assert not torch.equal(logits(0), logits(1))


def test_a_preset_or_a_checkpoint_must_be_given_and_known() -> None:
    with pytest.raises(SettingError, match="a checkpoint or a preset"):
        adapters.load("pam")
    with pytest.raises(SettingError, match="did you mean 'pam-3b'"):
        adapters.load("pam", preset="pam-3", device="meta")
    with pytest.raises(SettingError, match="vision_tower is only used with a checkpoint"):
        adapters.load("pam", preset="pam-3b", device="meta", vision_tower="x.pt")
