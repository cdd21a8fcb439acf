"""PAM's vision tower: where its weights are found, and which are refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.interface import CheckpointError
from adapters.pam.configuration import TowerConfig
from adapters.pam.tower import AUTHORS_FILE, INSIDE
from adapters.tensor_files import TensorInfo
from tests.adapters import pam_goldens as golden
from tests.adapters.pam_copies import (
    Tensors,
    assert_same_weights,
    copied,
    refusal,
    weights,
    without,
    write,
)
from tests.adapters.pam_goldens import load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def tensors() -> Tensors:
    return dict(golden.tensors())


def test_the_card_says_which_tower_was_used(folder: Path, tensors: Tensors, tmp_path: Path) -> None:
    def source(**settings: str) -> object:
        return load(folder, **settings).card.settings["vision_tower"]

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(folder / AUTHORS_FILE, elsewhere)
    assert source() == "a file of its own"
    assert source(vision_tower=str(elsewhere)) == "a file of its own"
    assert source(vision_tower=str(elsewhere / AUTHORS_FILE)) == "a file of its own"
    (folder / AUTHORS_FILE).unlink()
    assert source() == "inside the checkpoint"


def test_the_setting_goes_before_the_file_beside_the_weights_before_those_inside(
    folder: Path, tmp_path: Path
) -> None:
    name = "vision_tower.sam2.no_memory_embedding"
    given, beside = golden.tower_tensors(), golden.tower_tensors()
    torch.save(beside | {"no_mem_embed": torch.full((1, 1, 32), 2.0)}, folder / AUTHORS_FILE)
    torch.save(given | {"no_mem_embed": torch.full((1, 1, 32), 3.0)}, tmp_path / "mine.pt")
    assert load(folder).model.state_dict()[name].unique().tolist() == [2]
    loaded = load(folder, vision_tower=str(tmp_path / "mine.pt"))
    assert loaded.model.state_dict()[name].unique().tolist() == [3]
    assert loaded.card.settings["vision_tower"] == "a file of its own"


def write_transformers_tower(folder: Path) -> None:
    """SAM 2 as transformers stores its video model."""
    folder.mkdir()
    state = {
        name.removeprefix("vision_tower.sam2."): tensor.clone()
        for name, tensor in weights().items()
        if name.startswith("vision_tower.sam2.")
    }
    video = {"memory_attention.layers.0.linear1.weight", "no_object_pointer"}
    save_file(state | {name: torch.zeros(2) for name in video}, folder / "model.safetensors")


def test_a_tower_in_transformers_layout_is_read(folder: Path, tmp_path: Path) -> None:
    write_transformers_tower(tmp_path / "sam2")
    recognizer = load(folder, vision_tower=str(tmp_path / "sam2"))
    assert_same_weights(recognizer)
    assert recognizer.card.settings["vision_tower"] == "a file of its own"


@pytest.mark.parametrize("settings", [{}, {"vision_tower": "facebook/sam2.1-hiera-large"}])
@pytest.mark.parametrize("file", [AUTHORS_FILE, "model.safetensors"])
def test_a_tower_comes_from_the_hub(
    settings: dict[str, str],
    file: str,
    folder: Path,
    tensors: Tensors,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    write_transformers_tower(tmp_path / "hub")
    shutil.move(folder / AUTHORS_FILE, tmp_path / "hub")
    write(folder, without(tensors, INSIDE))

    def download(hub_id: str, file_name: str, revision: str | None = None) -> str:
        assert hub_id == "facebook/sam2.1-hiera-large"
        if file_name != file:
            raise LocalEntryNotFoundError(file_name)
        return str(tmp_path / "hub" / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    recognizer = load(folder, **settings)
    assert_same_weights(recognizer)
    assert recognizer.card.settings["vision_tower"] == "a file of its own"


def test_without_any_tower_the_refusal_says_how_to_get_one(
    folder: Path, tensors: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    write(folder, without(tensors, INSIDE))
    (folder / AUTHORS_FILE).unlink()
    message = refusal(folder)
    assert (
        "copy: no SAM 2 weights in the checkpoint. Put sam2.1_hiera_large.pt beside it" in message
    )
    assert "with the setting vision_tower: 'facebook/sam2.1-hiera-large' is neither" in message


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("nowhere.pt", "no sam2.1_hiera_large.pt at 'nowhere.pt'"),
        ("tests", "tests: no sam2.1_hiera_large.pt in this folder"),
    ],
)
def test_a_tower_that_is_not_there_is_refused(
    given: str, complaint: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    assert complaint in refusal(golden.CHECKPOINT, vision_tower=given)


def trunk_shapes(width: int, blocks: tuple[int, ...]) -> dict[str, TensorInfo]:
    """What the size is read from, for a trunk of these sizes."""
    shapes = {"image_encoder.trunk.pos_embed": TensorInfo((1, width, 7, 7), None)}
    wide = [width << stage for stage, count in enumerate(blocks) for _ in range(count)]
    for i, (into, out) in enumerate(zip([wide[0], *wide], wide, strict=False)):
        name = f"image_encoder.trunk.blocks.{i}.attn.qkv.weight"
        shapes[name] = TensorInfo((3 * out, into), None)
    return shapes


def test_the_towers_size_is_read_off_its_tensors() -> None:
    assert TowerConfig.from_shapes(trunk_shapes(144, (2, 6, 36, 4)), 256) == TowerConfig()
    assert golden.golden().model.config.tower == TowerConfig(
        trunk_width=8, blocks=(1, 2, 2, 1), global_blocks=(4,), width=32
    )


@pytest.mark.parametrize(
    ("width", "blocks", "size"),
    [(96, (1, 2, 7, 2), "Tiny"), (96, (1, 2, 11, 2), "Small"), (112, (2, 3, 16, 3), "Base+")],
)
def test_other_sizes_of_sam2_are_refused(width: int, blocks: tuple[int, ...], size: str) -> None:
    with pytest.raises(CheckpointError, match="PAM was trained with Hiera-Large") as caught:
        TowerConfig.from_shapes(trunk_shapes(width, blocks), 256)
    assert f"Hiera-{size};" in str(caught.value)


def test_a_tower_of_another_kind_is_refused(folder: Path) -> None:
    torch.save({"model": {"visual.conv1.weight": torch.zeros(3)}}, folder / AUTHORS_FILE)
    assert "the vision tower's weights are not SAM 2's" in refusal(folder)


def test_a_partial_tower_is_refused(folder: Path) -> None:
    tower = dict(golden.tower_tensors())
    del tower["sam_mask_decoder.iou_token.weight"]
    torch.save({"model": tower}, folder / AUTHORS_FILE)
    message = refusal(folder)
    assert f"{AUTHORS_FILE} beside the checkpoint: the weights do not fit" in message
    assert "1 missing: sam_mask_decoder.iou_token.weight" in message


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


def test_a_pickle_in_the_towers_place_is_never_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": {"no_mem_embed": Malicious()}}, folder / AUTHORS_FILE)
    assert f"{AUTHORS_FILE} holds more than plain tensors" in refusal(folder)
    assert not (tmp_path / "pwned").exists()
