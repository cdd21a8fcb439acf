"""Which preparation made the pictures of a set: marked, checked, and never mixed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from suites.base import DataInvalid, Finding, Level
from suites.registry import Prepared, entry
from tests.suites.segmentation_files import opened, write_full_release

HOME = "ADE20K_2021_17_01"
PICTURES = f"{HOME}/images_detectron2"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in (1, 2):
        write_full_release(tmp_path, f"ADE_val_{number:08d}", np.full((4, 4), 2978))
    return tmp_path


def prepare(root: Path) -> Prepared:
    return entry("ade847").prepare(root=str(root))


def warnings(root: Path) -> list[Finding]:
    findings = entry("ade847").check(root=str(root))
    return [f for f in findings if f.level is Level.WARNING and "preparation" in f.message]


def test_what_this_preparation_made_is_the_sets_version(root: Path) -> None:
    prepare(root)
    assert opened("ade847", root).card.version == "1"
    assert not warnings(root)


@pytest.mark.parametrize("note", [None, "", "{}", '{"preparation": 1}'])
def test_pictures_of_another_preparation_are_told_and_a_version_of_their_own(
    root: Path, note: str | None
) -> None:
    prepare(root)
    mark = root / PICTURES / "preparation.json"
    mark.unlink() if note is None else mark.write_text(note)
    assert opened("ade847", root).card.version == "1+unmarked"
    (warning,) = warnings(root)
    assert f"{PICTURES} are not marked as made by preparation 2" in warning.message
    assert "one too low" in warning.message
    assert warning.remedy is not None
    assert "run `bench data prepare ade847`; kept, they are version 1+unmarked" in warning.remedy


def test_pictures_of_two_preparations_are_never_mixed(root: Path) -> None:
    prepare(root)
    (root / PICTURES / "preparation.json").unlink()
    (root / PICTURES / "validation/ADE_val_00000002.jpg").unlink()
    with pytest.raises(DataInvalid, match=r"made by preparation 2.*delete .*images_detectron2 and"):
        prepare(root)
    assert not (root / PICTURES / "validation/ADE_val_00000002.jpg").exists()

    shutil.rmtree(root / PICTURES)
    assert prepare(root) == Prepared(root / HOME, made=2, kept=0)
    assert opened("ade847", root).card.version == "1"


def test_a_preparation_that_was_stopped_goes_on(root: Path) -> None:
    prepare(root)
    (root / PICTURES / "validation/ADE_val_00000002.jpg").unlink()
    assert prepare(root) == Prepared(root / HOME, made=1, kept=1)


def test_a_folder_without_pictures_is_not_warned_of(root: Path) -> None:
    assert not warnings(root)
