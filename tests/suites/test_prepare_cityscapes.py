from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from suites.base import DataInvalid, DataMissing, SuiteOptionError
from suites.registry import Prepared, entry
from suites.segmentation.label_maps import read_panoptic
from tests.suites.segmentation_files import opened, save

INSTANCES = np.array([[7, 7, 26000, 26], [0, 24001, 26000, 26]], np.uint16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in (1, 2):
        stem = tmp_path / f"gtFine/val/bonn/bonn_{number:06}_000019_gtFine"
        save(stem.with_name(f"{stem.name}_instanceIds.png"), INSTANCES)
        labels = np.where(INSTANCES >= 1000, INSTANCES // 1000, INSTANCES).astype(np.uint8)
        save(stem.with_name(f"{stem.name}_labelIds.png"), labels)
    return tmp_path


def prepare(root: Path) -> Prepared:
    return entry("cityscapes-panoptic").prepare(root=str(root))


@pytest.fixture
def _converter() -> None:
    pytest.importorskip("cityscapesscripts")


@pytest.mark.usefixtures("_converter")
def test_the_official_converter_writes_where_the_suite_reads(root: Path) -> None:
    folder = root / "gtFine/cityscapes_panoptic_val"
    assert prepare(root) == Prepared(folder, made=2, kept=0)
    ids = read_panoptic(folder / "bonn_000001_000019_gtFine_panoptic.png")
    assert ids.tolist() == INSTANCES.tolist()
    document = json.loads((root / "gtFine/cityscapes_panoptic_val.json").read_text())
    crowd = {s["id"]: s["iscrowd"] for s in document["annotations"][0]["segments_info"]}
    assert crowd == {7: 0, 26: 1, 24001: 0, 26000: 0}
    suite = opened("cityscapes-panoptic", root)
    assert suite.record(1).labels == ("road", "car", "person", "car")


@pytest.mark.usefixtures("_converter")
def test_progress_follows_the_converter_which_prints_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[str, int, int]] = []
    entry("cityscapes-panoptic").prepare(
        root=str(root), progress=lambda step, done, total: told.append((step, done, total))
    )
    assert told == [("Cityscapes panoptic maps", done, 2) for done in (1, 2)]
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("_converter")
def test_what_is_prepared_stays_and_what_is_half_made_goes(root: Path) -> None:
    leftover = root / "gtFine/.cityscapes_panoptic_val/half.png"
    leftover.parent.mkdir()
    leftover.write_bytes(b"")
    prepare(root)
    assert not leftover.parent.exists()
    assert prepare(root) == Prepared(root / "gtFine/cityscapes_panoptic_val", made=0, kept=2)


@pytest.mark.usefixtures("_converter")
def test_a_label_the_converter_does_not_know_is_an_error_of_the_data(root: Path) -> None:
    save(root / "gtFine/val/bonn/bonn_000002_000019_gtFine_instanceIds.png", INSTANCES + 50)
    with pytest.raises(DataInvalid, match="cityscapesScripts cannot convert"):
        prepare(root)
    assert not list((root / "gtFine").glob("*panoptic*"))


def test_the_missing_package_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cityscapesscripts.preparation.createPanopticImgs", None)
    with pytest.raises(SuiteOptionError, match=r"pip install 'regionbench\[cityscapes\]'"):
        prepare(root)


def test_missing_instance_maps_are_said_with_their_source(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"instance maps.*gtFine_trainvaltest\.zip"):
        prepare(tmp_path)
