from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from suites.base import DataInvalid, DataMissing
from suites.registry import Prepared, entry
from suites.segmentation.label_maps import read_labels
from tests.suites.segmentation_files import opened, save_picture


def write_mat(root: Path, name: str, labels: Any, variable: str = "LabelMap") -> Path:
    path = root / f"VOCdevkit/VOC2010/trainval/{name}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {variable: labels}, do_compression=True)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("2008_000002", "2008_000003", "2008_000008"):
        write_mat(tmp_path, name, np.array([[0, 1, 459]], np.uint16))
        save_picture(tmp_path / f"VOCdevkit/VOC2010/JPEGImages/{name}.jpg", (1, 3))
    split = tmp_path / "VOCdevkit/VOC2010/ImageSets/Main/val.txt"
    split.parent.mkdir(parents=True)
    split.write_text("2008_000002\n2008_000003\n")
    return tmp_path


def prepare(root: Path) -> Prepared:
    return entry("pascal-context-459").prepare(root=str(root))


def test_labels_become_16_bit_maps_of_label_less_one(root: Path) -> None:
    output = root / "pascal_ctx_d2/annotations_ctx459/validation"
    assert prepare(root) == Prepared(output, made=2, kept=0)
    assert read_labels(output / "2008_000002.tif", 16).tolist() == [[65535, 0, 458]]


def test_only_images_of_the_val_list_are_prepared(root: Path) -> None:
    prepare(root)
    suite = opened("pascal-context-459", root)
    assert [suite.record(n).image_id for n in range(len(suite))] == ["2008_000002", "2008_000003"]
    assert suite.query(1).image.size == (3, 1)


def test_only_maps_that_are_not_there_are_made(root: Path) -> None:
    prepare(root)
    assert (prepare(root).made, prepare(root).kept) == (0, 2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([[1, 2]], np.uint8), r"holds uint8 \(1, 2\) as 'LabelMap'; a 16-bit map"),
        (np.array([[1, 460]], np.uint16), "holds label 460; there are 459"),
    ],
)
def test_maps_of_another_form_are_refused(root: Path, labels: Any, message: str) -> None:
    write_mat(root, "2008_000003", labels)
    with pytest.raises(DataInvalid, match=message):
        prepare(root)


def test_a_file_without_the_map_is_refused(root: Path) -> None:
    write_mat(root, "2008_000003", np.zeros((1, 1)), variable="Other")
    with pytest.raises(DataInvalid, match="holds nothing as 'LabelMap'"):
        prepare(root)


@pytest.mark.parametrize("content", [b"", b"not MATLAB" * 50])
def test_a_file_that_is_not_matlabs_is_refused(root: Path, content: bytes) -> None:
    path = write_mat(root, "2008_000003", np.zeros((1, 1), np.uint16))
    path.write_bytes(content)
    with pytest.raises(DataInvalid, match=r"2008_000003\.mat is not a MATLAB file"):
        prepare(root)


def test_a_file_that_is_cut_off_is_refused(root: Path) -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 459, (100, 100)).astype(np.uint16)
    path = write_mat(root, "2008_000003", labels)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(DataInvalid, match=r"2008_000003\.mat is not a MATLAB file"):
        prepare(root)


def test_an_image_of_the_list_without_annotation_is_named(root: Path) -> None:
    (root / "VOCdevkit/VOC2010/trainval/2008_000003.mat").unlink()
    with pytest.raises(DataMissing, match=r"lists 2008_000003, but there is no .*get https"):
        prepare(root)


def test_missing_lists_are_said_with_their_source(root: Path) -> None:
    (root / "VOCdevkit/VOC2010/ImageSets/Main/val.txt").unlink()
    with pytest.raises(DataMissing, match=r"lists of val images.*VOCtrainval_03-May-2010\.tar"):
        prepare(root)
