"""Finding weight files: indexes, sub-folders, single files, and the Hub's local cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.checkpoint import Checkpoint, find_checkpoint, find_part
from adapters.checkpoint_files import find_file, find_folder, weight_files
from adapters.interface import CheckpointError
from adapters.tensor_files import TensorInfo, read_shapes, read_tensors

WEIGHTS = {"a": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3), "b": torch.ones(4)}


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """Two shards with an index, and leftovers that are no weights."""
    for number, name in enumerate(WEIGHTS, start=1):
        save_file({name: WEIGHTS[name]}, tmp_path / f"model-0000{number}-of-00002.safetensors")
    files = {name: f"model-0000{i}-of-00002.safetensors" for i, name in enumerate(WEIGHTS, 1)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    (tmp_path / "config.json").write_text("{}")
    save_file({"c": torch.ones(1)}, tmp_path / "adapter.safetensors")
    return tmp_path


def test_an_index_decides_which_files_are_the_weights(sharded: Path) -> None:
    found = find_checkpoint(sharded)
    assert [path.name for path in found.weights] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    assert found.tensors().keys() == WEIGHTS.keys()


def test_a_missing_shard_is_named(sharded: Path) -> None:
    (sharded / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"1 of 2 weight files .*missing: model-00002-of"):
        find_checkpoint(sharded)


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        ("{", "is not an index of weight files"),
        ('{"weight_map": []}', "is not an index of weight files"),
        ('{"weight_map": {"a": "../secrets.safetensors"}}', "which is not a file name"),
    ],
)
def test_a_damaged_index_is_refused(sharded: Path, index: str, complaint: str) -> None:
    (sharded / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CheckpointError, match=complaint):
        find_checkpoint(sharded)


def test_shards_of_plain_torch_files_have_an_index_too(tmp_path: Path) -> None:
    torch.save({"a": WEIGHTS["a"]}, tmp_path / "pytorch_model-00001-of-00001.bin")
    torch.save({"x": torch.ones(1)}, tmp_path / "open_clip_pytorch_model.bin")
    assert [p.name for p in weight_files(tmp_path, "m")] == ["pytorch_model-00001-of-00001.bin"]
    index = {"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"missing: pytorch_model-00001-of-00002\.bin"):
        weight_files(tmp_path, "m")


@pytest.mark.parametrize("suffix", ["safetensors", "bin", "pt"])
def test_shapes_are_read_without_the_tensors(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights.{suffix}"
    if suffix == "safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save({"model": WEIGHTS} if suffix == "pt" else WEIGHTS, path)
    assert read_shapes("m", [path]) == {
        "a": TensorInfo((2, 3), torch.bfloat16),
        "b": TensorInfo((4,), torch.float32),
    }
    tensors = read_tensors("m", [path])
    assert all(torch.equal(tensors[name], WEIGHTS[name]) for name in WEIGHTS)


def test_a_part_has_its_own_folder(sharded: Path) -> None:
    root = sharded.parent
    assert find_part(root, "m", sharded.name).name == f"m/{sharded.name}"
    with pytest.raises(CheckpointError, match="m: the sub-folder llm/ is missing"):
        find_part(root, "m", "llm")


def test_extra_files_are_part_of_the_digest(sharded: Path, tmp_path: Path) -> None:
    plain = find_checkpoint(sharded)
    tower = tmp_path / "tower.pt"
    tower.write_bytes(b"1")
    with_tower = Checkpoint(plain.name, plain.folder, plain.weights, (tower,))
    first = with_tower.digest()
    assert first != plain.digest()
    tower.write_bytes(b"2")
    assert with_tower.digest() != first


def test_one_file_is_found_by_its_path_and_in_its_folder(tmp_path: Path) -> None:
    tower = tmp_path / "tower.bin"
    tower.write_bytes(b"1")
    assert find_file(tower, "tower.bin") == find_file(tmp_path, "tower.bin") == tower
    with pytest.raises(CheckpointError, match=f"{tmp_path.name}: no other.bin in this folder"):
        find_file(tmp_path, "other.bin")
    with pytest.raises(CheckpointError, match=r"no tower.bin at '/nowhere/at all'"):
        find_file("/nowhere/at all", "tower.bin")


def test_a_hub_file_that_is_not_cached_says_how_to_get_it() -> None:
    with pytest.raises(CheckpointError, match="neither a folder here nor in the local Hub cache"):
        find_file("someone/tower", "tower.bin")
    with pytest.raises(CheckpointError, match="neither a folder here nor in the local Hub cache"):
        find_folder("someone/model")


def test_files_of_the_same_name_all_count_in_the_digest(tmp_path: Path) -> None:
    main, other = tmp_path / "main", tmp_path / "other"
    for folder in (main, other):
        folder.mkdir()
        save_file({"a": torch.zeros(2)}, folder / "model.safetensors")
    (main / "config.json").write_text("{}")
    found = Checkpoint("m", main, (main / "model.safetensors",), (other / "model.safetensors",))
    digests = {found.digest()}
    for folder in (main, other):
        save_file({"a": torch.ones(2)}, folder / "model.safetensors")
        digests.add(found.digest())
    assert len(digests) == 3
