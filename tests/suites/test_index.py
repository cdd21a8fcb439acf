from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from adapters.interface import Box
from suites.annotations import AnnotatedImage, AnnotatedRegion, Annotations, Category
from suites.base import DataInvalid
from suites.index import IndexSource, RegionIndex, open_index
from suites.rasterize import Rasterizer, to_rle
from tests.suites.annotation_files import HEIGHT, SQUARE, TRIANGLE, WIDTH, compressed


def region(number: int, label: str = "cat", segmentation: object = None) -> AnnotatedRegion:
    mask = [SQUARE] if segmentation is None else segmentation
    return AnnotatedRegion(f"a/{number}", label, mask, Box(1, 1, 5, 4), f"annotation {number}")


def image(name: str, *regions: AnnotatedRegion) -> AnnotatedImage:
    return AnnotatedImage(name, f"{name}.jpg", WIDTH, HEIGHT, regions)


def source(
    folder: Path,
    images: Iterable[AnnotatedImage] = (image("a", region(1)),),
    content: str = "one",
    rasterizer: Rasterizer = Rasterizer.PYCOCOTOOLS,
) -> IndexSource:
    path = folder / "annotations.json"
    path.write_text(content)
    categories = {"cat": Category("f", ("cat", "house_cat"))}
    return IndexSource("toy", (path,), lambda: Annotations("v1", images, categories), rasterizer)


def never() -> Annotations:
    raise AssertionError("the index was built again")


def test_an_index_gives_back_what_was_annotated(tmp_path: Path) -> None:
    images = [image("a", region(1), region(2, "dog", [TRIANGLE])), image("b", region(3, "é"))]
    index = open_index(source(tmp_path, images), tmp_path)

    first = index.row(0)
    assert (len(index), first.image_id, first.file_name) == (2, "a", "a.jpg")
    assert (first.width, first.height) == (WIDTH, HEIGHT)
    assert first.region_ids == ("a/1", "a/2")
    assert first.labels == ("cat", "dog")
    assert first.masks == tuple(to_rle([s], WIDTH, HEIGHT, "") for s in (SQUARE, TRIANGLE))
    assert first.boxes == (Box(1, 1, 5, 4), Box(1, 1, 5, 4))
    assert index.row(1).labels == ("é",)
    assert index.card.categories == {"cat": Category("f", ("cat", "house_cat"))}


def test_the_table_of_regions_follows_index_order_and_can_stop_early(tmp_path: Path) -> None:
    images = [image("a", region(1), region(2, "dog")), image("b", region(3)), image("c", region(4))]
    index = open_index(source(tmp_path, images), tmp_path)

    frame = index.regions(2)
    assert frame["region_id"].tolist() == ["a/1", "a/2", "a/3"]
    assert frame["image_id"].tolist() == ["a", "a", "b"]
    assert frame["category"].tolist() == ["cat", "dog", "cat"]
    assert len(index.regions(0)) == 0


def test_a_finished_index_is_reopened_not_built_again(tmp_path: Path) -> None:
    made = source(tmp_path)
    built = open_index(made, tmp_path)
    reopened = open_index(IndexSource("toy", made.files, never), tmp_path)

    assert reopened.card == built.card
    assert reopened.row(0) == built.row(0)


def test_the_key_does_not_depend_on_where_files_lie(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    assert source(here).key() == source(there).key()


def test_another_file_or_setting_is_another_index(tmp_path: Path) -> None:
    made = source(tmp_path, content="one")
    keys = {made.key(), source(tmp_path, content="one", rasterizer=Rasterizer.OPENCV).key()}
    keys.add(IndexSource("toy", made.files, never, settings={"subset": "1k"}).key())
    keys.add(IndexSource("other", made.files, never).key())
    keys.add(source(tmp_path, content="two").key())

    assert len(keys) == 5


def test_pictures_without_regions_are_left_out_and_counted(tmp_path: Path) -> None:
    index = open_index(source(tmp_path, [image("a"), image("b", region(1))]), tmp_path)

    assert [index.row(i).image_id for i in range(len(index))] == ["b"]
    assert index.card.images_without_regions == 1


def test_empty_masks_stay_in_the_index_and_are_counted(tmp_path: Path) -> None:
    nothing = compressed(np.zeros((HEIGHT, WIDTH), dtype=bool))
    index = open_index(
        source(tmp_path, [image("a", region(1), region(2, "dog", nothing))]), tmp_path
    )

    assert (index.card.regions, index.card.empty_masks) == (2, 1)
    assert index.row(0).masks[1].counts == nothing["counts"]


def test_boxes_are_given_for_all_of_a_pictures_regions_or_none(tmp_path: Path) -> None:
    boxless = region(2)._replace(box=None)
    index = open_index(source(tmp_path, [image("a", region(1), boxless)]), tmp_path)

    assert index.row(0).boxes is None


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = [image("a", region(1)), image("b", region(2, "cat", [["x"] * 6]))]
    with pytest.raises(DataInvalid, match="annotation 2"):
        open_index(source(tmp_path, bad), tmp_path)

    assert list((tmp_path / "indexes" / "toy").iterdir()) == []
    assert len(open_index(source(tmp_path), tmp_path)) == 1


def test_builders_that_race_publish_one_whole_index(tmp_path: Path) -> None:
    made = source(tmp_path)
    all_reading = threading.Barrier(4)

    def read() -> Annotations:
        all_reading.wait(timeout=30)
        return made.read()

    racing = IndexSource("toy", made.files, read)
    opened: list[RegionIndex] = []
    threads = [
        threading.Thread(target=lambda: opened.append(open_index(racing, tmp_path)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [index.row(0).region_ids for index in opened] == [("a/1",)] * 4
    assert len(list((tmp_path / "indexes" / "toy").iterdir())) == 1


@pytest.mark.parametrize("name", ["regions.arrow", "index.json"])
def test_a_damaged_index_is_named(tmp_path: Path, name: str) -> None:
    made = source(tmp_path, [image("a", region(1)), image("b", region(2))])
    open_index(made, tmp_path)
    (folder,) = (tmp_path / "indexes" / "toy").iterdir()
    file = folder / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    with pytest.raises(DataInvalid, match="delete the folder"):
        open_index(made, tmp_path)


def test_an_index_of_another_format_is_refused(tmp_path: Path) -> None:
    made = source(tmp_path)
    open_index(made, tmp_path)
    (folder,) = (tmp_path / "indexes" / "toy").iterdir()
    card = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**card, "format_version": 0}))

    with pytest.raises(DataInvalid, match="format 0"):
        RegionIndex(folder)


def test_reading_an_index_loads_no_deep_learning_framework(tmp_path: Path) -> None:
    code = "import sys, suites.lvis_files; print('torch' in sys.modules, 'cv2' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    assert output.stdout.split() == [b"False", b"False"]


def test_entries_load_no_data_library() -> None:
    code = (
        "import sys, suites.lvis, suites.paco, suites.rr7k, suites.regions_json;"
        "print([m for m in ('pandas', 'pyarrow', 'datasets', 'pycocotools') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    assert output.stdout.strip() == b"[]"
