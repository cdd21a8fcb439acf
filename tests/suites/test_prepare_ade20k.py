"""Preparing ADE20K: the panoptic form, and the maps of 847 classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from suites.base import DataInvalid, DataMissing, SuiteOptionError
from suites.registry import Prepared, entry
from suites.segmentation.ade20k_sets import ADE847
from suites.segmentation.label_maps import read_labels, read_panoptic
from suites.segmentation.prepare import ade20k_panoptic
from suites.segmentation.prepare.ade20k_full import class_of_object
from tests.suites.segmentation_files import (
    opened,
    save,
    scored,
    true_answers,
    values,
    write_full_release,
)

WALL, SKY, BED, CAR = 1, 3, 8, 21  # values of the semantic maps
# Cars are the ninth of the thing classes.


def write_challenge(
    root: Path, name: str, semantic: Any, instances: Any = None, size: tuple[int, int] = (2, 4)
) -> None:
    """``instances``: class among things × 1000 + instance number, 0 for none."""
    coded = np.zeros(size, np.int64) if instances is None else np.asarray(instances)
    rgb = np.stack([coded // 1000, coded % 1000, np.zeros_like(coded)], axis=-1)
    save(root / f"annotations/validation/{name}.png", np.asarray(semantic, np.uint8))
    save(root / f"annotations_instance/validation/{name}.png", rgb.astype(np.uint8))
    save(root / f"images/validation/{name}.jpg", np.zeros((*size, 3), np.uint8))


STREET = [[SKY, SKY, SKY, CAR], [WALL, WALL, CAR, 0]]
STREET_CARS = [[0, 0, 9001, 9002], [0, 0, 9001, 0]]  # one car covers a pixel of the sky


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_challenge(tmp_path / "ade", "ADE_val_00000001", STREET, STREET_CARS)
    write_challenge(tmp_path / "ade", "ADE_val_00000002", [[WALL] * 4, [BED] * 4])
    return tmp_path / "ade"


def prepare(root: Path, name: str = "ade20k-panoptic") -> Prepared:
    return entry(name).prepare(root=str(root))


def document(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "ade20k_panoptic_val.json").read_text())
    return content


def test_stuff_comes_from_semantic_maps_and_things_are_drawn_over_it(root: Path) -> None:
    assert prepare(root) == Prepared(root / "ade20k_panoptic_val", made=2, kept=0)
    ids = read_panoptic(root / "ade20k_panoptic_val/ADE_val_00000001.png")
    sky, wall, first, second = 3 * 256, 256, CAR * 256 + 1, CAR * 256 + 2
    assert ids.tolist() == [[sky, sky, first, second], [wall, wall, first, 0]]


def test_segments_are_listed_with_the_area_from_before_things_were_drawn(root: Path) -> None:
    prepare(root)
    (first, second) = document(root)["annotations"]
    listed = {s["id"]: (s["category_id"], s["area"], s["bbox"]) for s in first["segments_info"]}
    assert listed == {
        256: (WALL - 1, 2, [0, 1, 2, 1]),
        3 * 256: (SKY - 1, 3, [0, 0, 3, 1]),
        CAR * 256 + 1: (CAR - 1, 2, [2, 0, 1, 2]),
        CAR * 256 + 2: (CAR - 1, 1, [3, 0, 1, 1]),
    }
    # The bed of the second picture has no instance and becomes void.
    assert [s["category_id"] for s in second["segments_info"]] == [WALL - 1]
    assert {s["iscrowd"] for s in first["segments_info"]} == {0}


def test_the_json_file_lists_images_and_the_150_categories(root: Path) -> None:
    prepare(root)
    content = document(root)
    assert content["images"][0] == {
        "id": "ADE_val_00000001",
        "file_name": "ADE_val_00000001.jpg",
        "width": 4,
        "height": 2,
    }
    assert len(content["categories"]) == 150
    assert sum(category["isthing"] for category in content["categories"]) == 100


def test_what_was_prepared_is_what_the_suite_reads(root: Path) -> None:
    prepare(root)
    suite = opened("ade20k-panoptic", root)
    scores = scored(suite, true_answers(suite))
    quality = scores.categories.set_index(["metric", "category"])["value"]
    # The known limit: three pixels of sky are listed, one of them was drawn over.
    assert quality["pq", "sky"] == pytest.approx(2 / 3)
    assert quality["pq", "car"] == quality["pq", "wall"] == 1.0
    assert values(scores)["pq[things]"] == 1.0


def test_an_interrupted_preparation_goes_on_where_it_stopped(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 8):
        write_challenge(root, f"ADE_val_{number:08d}", STREET, STREET_CARS)
    convert, asked = ade20k_panoptic._convert, []

    def stops_at_the_fifth(image: ade20k_panoptic._Image) -> Any:
        asked.append(image.name)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return convert(image)

    monkeypatch.setattr(ade20k_panoptic, "_convert", stops_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        prepare(root)
    journal = root / "ade20k_panoptic_val.partial"
    assert not (root / "ade20k_panoptic_val.json").exists()
    journal.write_bytes(journal.read_bytes()[:-7])  # the last line is half written

    monkeypatch.setattr(ade20k_panoptic, "_convert", convert)
    assert prepare(root) == Prepared(root / "ade20k_panoptic_val", made=4, kept=3)
    assert not journal.exists()
    resumed = document(root)
    (root / "ade20k_panoptic_val.json").unlink()
    prepare(root)
    assert document(root) == resumed


def test_a_finished_preparation_is_left_as_it_is(root: Path) -> None:
    prepare(root)
    before = (root / "ade20k_panoptic_val.json").stat().st_mtime_ns
    assert prepare(root) == Prepared(root / "ade20k_panoptic_val", made=0, kept=2)
    assert (root / "ade20k_panoptic_val.json").stat().st_mtime_ns == before


def test_progress_counts_up_to_all_images(root: Path) -> None:
    told: list[tuple[str, int, int]] = []
    entry("ade20k-panoptic").prepare(
        root=str(root), progress=lambda step, done, total: told.append((step, done, total))
    )
    assert told == [("ADE20K panoptic maps", done, 2) for done in range(3)]


@pytest.mark.parametrize(
    ("instances", "message"),
    [
        ([[1001, 9001, 0, 0], [0] * 4], "instance 1 has class 1 and 9"),
        ([[1, 0, 0, 0], [0] * 4], "instance 1 has class 0; one of 1 … 100 was expected"),
        ([[101003, 0, 0, 0], [0] * 4], "instance 3 has class 101"),
    ],
)
def test_an_instance_without_one_known_class_is_refused(
    root: Path, instances: Any, message: str
) -> None:
    write_challenge(root, "ADE_val_00000002", [[WALL] * 4] * 2, instances)
    with pytest.raises(DataInvalid, match=message):
        prepare(root)


def test_instance_maps_of_another_size_are_refused(root: Path) -> None:
    save(root / "annotations_instance/validation/ADE_val_00000002.png", np.zeros((3, 4, 3), "u1"))
    with pytest.raises(DataInvalid, match=r"00000002\.png is 4×3 pixels, .* is 4×2"):
        prepare(root)


def test_missing_instance_maps_are_said_with_their_source(tmp_path: Path) -> None:
    save(tmp_path / "annotations/validation/a.png", np.ones((2, 2), np.uint8))
    with pytest.raises(DataMissing, match=r"instance maps.*annotations_instance\.tar"):
        prepare(tmp_path)


def test_suites_that_read_published_files_have_nothing_to_prepare(tmp_path: Path) -> None:
    with pytest.raises(SuiteOptionError, match="'ade150' reads the published files as they are"):
        prepare(tmp_path, "ade150")


def full_map(root: Path, name: str) -> NDArray[np.uint16]:
    home = root / "ADE20K_2021_17_01"
    labels: NDArray[np.uint16] = read_labels(
        home / f"annotations_detectron2/validation/{name}.tif", 16
    )
    return labels


def test_object_indices_of_the_full_release_become_847_classes(tmp_path: Path) -> None:
    objects = np.array([[2978, 312, 0], [2420, 3152, 1]])  # wall, building, none; sky, unused
    write_full_release(tmp_path, "ADE_val_00000001", objects, noise=7)
    assert prepare(tmp_path, "ade847").made == 1
    assert full_map(tmp_path, "ADE_val_00000001").tolist() == [[0, 1, 65535], [2, 65535, 65535]]
    assert class_of_object()[3152] == 65535
    suite = opened("ade847", tmp_path)
    assert suite.record(0).labels == ADE847.classes().labels[:3]
    assert suite.query(0).image.size == (3, 2)


@pytest.mark.parametrize(
    ("size", "smaller"),
    [((600, 900), (512, 768)), ((700, 600), (597, 512)), ((600, 512), (600, 512))],
)
def test_the_short_side_becomes_512_pixels_at_most(
    tmp_path: Path, size: tuple[int, int], smaller: tuple[int, int]
) -> None:
    write_full_release(tmp_path, "ADE_val_00000001", np.full(size, 2978))
    prepare(tmp_path, "ade847")
    assert full_map(tmp_path, "ADE_val_00000001").shape == smaller
    picture = "ADE20K_2021_17_01/images_detectron2/validation/ADE_val_00000001.jpg"
    with Image.open(tmp_path / picture) as image:
        assert image.size == smaller[::-1]


def test_labels_are_shrunk_as_opencv_does(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", exc_type=ImportError)
    generator = np.random.default_rng(0)
    objects = generator.choice([2978, 312, 2420, 2855, 0], (611, 733))
    write_full_release(tmp_path, "ADE_val_00000001", objects)
    prepare(tmp_path, "ade847")
    found = full_map(tmp_path, "ADE_val_00000001")
    small = cv2.resize(objects.astype(np.int32), found.shape[::-1], interpolation=cv2.INTER_NEAREST)
    assert found.tolist() == class_of_object()[small].tolist()


def test_only_pictures_that_are_not_there_are_made(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_full_release(tmp_path, f"ADE_val_{number:08d}", np.full((4, 4), 2978))
    home = tmp_path / "ADE20K_2021_17_01"
    assert prepare(tmp_path, "ade847") == Prepared(home, made=3, kept=0)
    (home / "annotations_detectron2/validation/ADE_val_00000002.tif").unlink()
    assert prepare(tmp_path, "ade847") == Prepared(home, made=1, kept=2)
    assert not list(home.rglob(".*"))  # nothing half-made is left


def test_a_label_picture_without_its_picture_is_refused(tmp_path: Path) -> None:
    write_full_release(tmp_path, "ADE_val_00000001", np.full((4, 4), 2978)).unlink()
    with pytest.raises(DataInvalid, match=r"ADE_val_00000001\.jpg is missing"):
        prepare(tmp_path, "ade847")
