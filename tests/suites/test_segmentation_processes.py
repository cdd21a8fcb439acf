"""Checking and preparing in several processes gives what one process gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from suites.registry import entry
from suites.segmentation import ordered_pool
from tests.suites.segmentation_files import save, save_picture


@pytest.fixture(params=[1, 2])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(ordered_pool, "_WORTH_PROCESSES", 1 if request.param > 1 else 1000)
    monkeypatch.setattr(ordered_pool, "_MOST_PROCESSES", request.param)
    number: int = request.param
    return number


@pytest.mark.usefixtures("processes")
def test_a_check_names_the_same_trouble(tmp_path: Path) -> None:
    for number in range(20):
        value = 200 if number == 17 else 1
        save(tmp_path / f"annotations/validation/{number:02}.png", np.full((2, 2), value, np.uint8))
        save_picture(tmp_path / f"images/validation/{number:02}.jpg", (2, 2))
    (invalid,) = (
        f for f in entry("ade150").check(root=str(tmp_path)) if f.level.value == "invalid"
    )
    assert invalid.message.startswith("1 of 20 cannot be used")
    assert "17.png holds 200" in invalid.message


def full_release(root: Path) -> list[Path]:
    folder = root / "ADE20K_2021_17_01"
    for number in range(9):
        coded = np.zeros((4, 4, 3), np.uint8)
        coded[..., 1] = number * 20
        save(folder / f"images/ADE/validation/a/b/ADE_val_{number:08}_seg.png", coded)
        save_picture(folder / f"images/ADE/validation/a/b/ADE_val_{number:08}.jpg", (4, 4))
    return [folder / "annotations_detectron2/validation", folder / "images_detectron2/validation"]


def challenge(root: Path) -> list[Path]:
    for number in range(9):
        semantic = np.full((4, 4), number + 1, np.uint8)
        save(root / f"annotations/validation/ADE_val_{number:08}.png", semantic)
        instances = np.zeros((4, 4, 3), np.uint8)
        instances[0, 0] = (1, 1, 0)
        save(root / f"annotations_instance/validation/ADE_val_{number:08}.png", instances)
    return [root / "ade20k_panoptic_val"]


@pytest.mark.parametrize(
    ("suite", "write"), [("ade847", full_release), ("ade20k-panoptic", challenge)]
)
@pytest.mark.usefixtures("processes")
def test_a_preparation_makes_every_file(
    tmp_path: Path, suite: str, write: Callable[[Path], list[Path]]
) -> None:
    folders = write(tmp_path)
    assert entry(suite).prepare(root=str(tmp_path)).made == 9
    for folder in folders:
        assert len(list(folder.iterdir())) == 9
    assert len(entry(suite).load(cache=tmp_path / "cache", root=str(tmp_path))) > 0
