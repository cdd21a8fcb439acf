from __future__ import annotations

import hashlib
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from metrics.segment_tables import PanopticTable, SemanticTable
from suites.base import DataInvalid, Selection, Suite
from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC
from suites.segmentation.index import SegmentationSource, ensure_index
from suites.segmentation.panoptic_files import list_panoptic
from suites.segmentation.tables import TableFile
from tests.suites.segmentation_files import (
    BED,
    CAR,
    PERSON,
    SKY,
    WALL,
    Panoptic,
    opened,
    scored,
    true_answers,
    values,
    write_ade20k,
)

LABELS = tuple(f"class {klass}" for klass in range(150))


def random_image(seed: int) -> Panoptic:
    generator = np.random.default_rng(seed)
    ids = np.kron(generator.integers(0, 6, (4, 5)), np.ones((3, 3), np.int64)).astype(np.int64)
    shown = [int(label) for label in np.unique(ids) if label]
    classes = dict(zip(shown, (WALL, BED, PERSON, CAR, SKY), strict=False))
    return Panoptic.of(ids, classes, crowd=shown[-1:])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ade") / "ADEChallengeData2016"
    write_ade20k(folder, {f"image_{n:02d}": random_image(n) for n in range(20)}, pictures=False)
    return folder


def source(root: Path) -> SegmentationSource:
    listing = list_panoptic(ADE20K_PANOPTIC, root)
    return SegmentationSource("ade20k-panoptic", listing.jobs, LABELS, tables=True, sources=())


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_index_has_the_same_bytes_whatever_the_number_of_processes(
    root: Path, tmp_path: Path
) -> None:
    alone = ensure_index(source(root), tmp_path / "one", processes=1)
    together = ensure_index(source(root), tmp_path / "three", processes=3)
    assert digests(alone) == digests(together)
    assert set(digests(alone)) == {"index.json", "regions.arrow", "tables.arrow"}


def test_the_index_follows_the_content_of_the_maps_and_not_their_place(
    root: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(root, moved)
    key = source(root).key(tmp_path)
    assert source(moved).key(tmp_path) == key

    write_ade20k(moved, {f"image_{n:02d}": random_image(n + (n == 7)) for n in range(20)})
    assert source(moved).key(tmp_path) != key


def test_a_changed_list_of_segments_is_another_index(root: Path, tmp_path: Path) -> None:
    image = random_image(0)
    label = next(iter(image.classes))
    keys = set()
    for number, areas in enumerate(({}, {label: 1})):
        folder = tmp_path / str(number)
        write_ade20k(folder, {"a": Panoptic.of(image.ids, image.classes, areas=areas)})
        keys.add(source(folder).key(tmp_path))
    assert len(keys) == 2


def test_tables_come_back_as_the_jobs_made_them(root: Path, tmp_path: Path) -> None:
    made = source(root)
    folder = ensure_index(made, tmp_path)
    extracted = [tables for job in made.jobs if (tables := job.extract().tables) is not None]
    for images in (1, 7, 20):
        read = TableFile(folder).read(images)
        assert_equal(read.panoptic, PanopticTable.join([t.panoptic for t in extracted[:images]]))
        assert_equal(read.semantic, SemanticTable.join([t.semantic for t in extracted[:images]]))


def assert_equal(one: PanopticTable | SemanticTable, other: PanopticTable | SemanticTable) -> None:
    for column in fields(one):
        np.testing.assert_array_equal(getattr(one, column.name), getattr(other, column.name))


def test_every_segment_in_the_map_is_a_region_in_the_order_of_ids(root: Path) -> None:
    suite: Suite = opened("ade20k-panoptic", root)
    assert len(suite) == 20
    record = suite.record(3)
    image = random_image(3)
    assert record.image_id == "image_03"
    assert record.region_ids == tuple(f"image_03/{n:08d}" for n in sorted(image.classes))
    assert (record.width, record.height) == (15, 12)
    assert record.path == root / "images" / "validation" / "image_03.jpg"


def test_scoring_touches_no_label_map(root: Path, tmp_path: Path) -> None:
    moved = tmp_path / "data"
    shutil.copytree(root, moved)
    suite = opened("ade20k-panoptic", moved)
    shutil.rmtree(moved)
    assert values(scored(suite, true_answers(suite)))["pq"] == 1.0


def test_a_selection_is_the_first_images_of_regions_and_tables_alike(root: Path) -> None:
    suite = opened("ade20k-panoptic", root)
    selection = Selection(limit=5)
    answers = true_answers(suite, selection)
    assert len(answers) == sum(len(suite.record(n).region_ids) for n in range(5))
    scores = scored(suite, answers, selection=selection)
    assert (scores.counts.expected, values(scores)["miou"]) == (len(answers), 1.0)


def test_a_damaged_table_file_is_named(root: Path, tmp_path: Path) -> None:
    folder = ensure_index(source(root), tmp_path)
    tables = folder / "tables.arrow"
    tables.write_bytes(tables.read_bytes()[:100])
    with pytest.raises(DataInvalid, match=r"damaged.*delete the folder"):
        TableFile(folder)
