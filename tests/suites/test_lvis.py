from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pycocotools.mask
import pytest
from numpy.typing import NDArray

from adapters.interface import RLE, Task
from suites.base import (
    DataInvalid,
    DataMissing,
    PictureError,
    Selection,
    Suite,
    SuiteOptionError,
)
from suites.registry import entry
from tests.suites.annotation_files import (
    HEIGHT,
    SQUARE,
    TRIANGLE,
    WIDTH,
    annotation,
    listed_image,
    lvis_v1,
    write,
    write_lvis,
    write_picture,
)


class OneHotEncoder:
    """Equal texts are alike, others are not."""

    digest = "one-hot"

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        known = sorted(set(texts))
        return np.eye(len(known), dtype=np.float32)[[known.index(text) for text in texts]]


def lvis(tmp_path: Path, **options: Any) -> Suite:
    return entry("lvis").load(cache=tmp_path / "cache", **options)


def test_every_annotation_of_the_official_file_is_a_region(tmp_path: Path) -> None:
    write_lvis(tmp_path, lvis_v1([annotation(20), annotation(3, category=2), annotation(4, 285)]))
    suite = lvis(tmp_path, root=str(tmp_path))

    assert (suite.card.name, suite.card.version, suite.card.protocol) == ("lvis", "v1", "wowseg-v1")
    assert (suite.card.task, suite.generation.max_new_tokens) == (Task.CATEGORY, 100)
    first = suite.record(0)
    assert first.image_id == "000000000139"
    assert first.region_ids == ("000000000139/03", "000000000139/20")
    assert first.labels == ("salmon_(fish)", "cat")
    assert suite.record(1).region_ids == ("000000000285/04",)


def test_pictures_are_found_in_the_split_their_address_tells(tmp_path: Path) -> None:
    content = lvis_v1([annotation(1, 139), annotation(2, 286)], images=(139, 286))
    write_lvis(tmp_path, content)
    suite = lvis(tmp_path, root=str(tmp_path))

    assert suite.record(0).path == tmp_path / "val2017" / "000000000139.jpg"
    assert suite.record(1).path == tmp_path / "train2017" / "000000000286.jpg"
    assert suite.query(1).image.size == (WIDTH, HEIGHT)


def test_pictures_may_lie_elsewhere_and_unsplit(tmp_path: Path) -> None:
    path = write(tmp_path / "lvis_v1_val.json", lvis_v1([annotation(1)]))
    picture = write_picture(tmp_path / "pictures" / "000000000139.jpg")
    suite = lvis(tmp_path, annotations=str(path), images=str(picture.parent))

    assert suite.record(0).path == picture


def test_references_carry_frequency_and_synonyms(tmp_path: Path) -> None:
    write_lvis(tmp_path, lvis_v1([annotation(1), annotation(2, category=2), annotation(3, 285)]))
    frame = lvis(tmp_path, root=str(tmp_path)).references(Selection(limit=1))

    assert frame["category"].tolist() == ["cat", "salmon_(fish)"]
    assert frame["frequency"].tolist() == ["f", "r"]
    assert frame["synonyms"].tolist() == [["cat", "house_cat"], ["salmon_(fish)"]]


def test_every_metric_of_the_card_is_scored(tmp_path: Path) -> None:
    write_lvis(tmp_path, lvis_v1([annotation(1), annotation(2, category=2), annotation(3, 285)]))
    suite = lvis(tmp_path, root=str(tmp_path))
    regions = suite.references(Selection())["region_id"]
    answers = pd.DataFrame(
        {"region_id": regions, "text": ["house cat", "salmon", "dog"], "status": "answered"}
    )
    scores = suite.score(answers, OneHotEncoder(), selection=Selection(), resamples=10)

    values = {s.metric: s.value for s in scores.table if s.protocol == suite.card.protocol}
    assert {metric.name for metric in suite.card.metrics} <= set(values)
    assert scores.main.metric == suite.card.main_metric
    assert values["synonym_match"] == pytest.approx(2 / 3)
    assert values["exact_match"] == pytest.approx(1 / 3)


def test_the_1k_subset_looks_for_pictures_in_both_splits(tmp_path: Path) -> None:
    images = [
        listed_image(286, ["cat", "dog"], [[SQUARE], [TRIANGLE]]),
        listed_image(139, ["salmon_(fish)"], [[SQUARE]]),
    ]
    write(tmp_path / "annotations" / "lvis_val_1k_category.json", images)
    write_picture(tmp_path / "train2017" / "000000000286.jpg")
    write_picture(tmp_path / "val2017" / "000000000139.jpg")
    suite = lvis(tmp_path, root=str(tmp_path), subset="1k")

    assert suite.card.version == "v1-1k"
    assert suite.card.expected is not None
    assert (suite.card.expected.images, suite.card.expected.regions) == (1000, 4004)
    assert [suite.record(i).path.parent.name for i in range(2)] == ["val2017", "train2017"]
    assert suite.references(Selection())["region_id"].tolist() == [
        "000000000139/0000",
        "000000000286/0000",
        "000000000286/0001",
    ]


def test_the_1k_subset_takes_frequency_and_synonyms_from_a_category_file(tmp_path: Path) -> None:
    listed = [listed_image(139, ["cat", "dog:ear"], [[SQUARE], [TRIANGLE]])]
    path = write(tmp_path / "lvis_val_1k_category.json", listed)
    categories = write(tmp_path / "lvis_v1_val.json", lvis_v1([annotation(1)]))
    frame = lvis(
        tmp_path, annotations=str(path), subset="1k", categories=str(categories)
    ).references(Selection())

    assert frame["frequency"].tolist() == ["f", "c"]
    assert frame["synonyms"].tolist() == [["cat", "house_cat"], ["dog:ear"]]


def test_the_rasterizer_shows_in_the_version_and_changes_the_digest(tmp_path: Path) -> None:
    pytest.importorskip("cv2", exc_type=ImportError)
    write_lvis(tmp_path, lvis_v1([annotation(1, segmentation=[TRIANGLE])]))
    standard = lvis(tmp_path, root=str(tmp_path))
    filled = lvis(tmp_path, root=str(tmp_path), rasterizer="opencv")

    assert filled.card.version == "v1+opencv"
    assert filled.digest != standard.digest
    assert filled.record(0).masks != standard.record(0).masks


def test_the_digest_is_the_same_wherever_the_data_lies(tmp_path: Path) -> None:
    digests = set()
    for name in ("here", "there"):
        write_lvis(tmp_path / name, lvis_v1([annotation(1)]))
        suite = entry("lvis").load(cache=tmp_path / name / "cache", root=str(tmp_path / name))
        digests.add(suite.digest)

    assert len(digests) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category_id": 9}, "annotation 7: category 9 is not among the categories"),
        ({"segmentation": [[1.0, float("nan")] * 3]}, "annotation 7: polygon 1 .*not finite"),
        ({"segmentation": {"size": [4, 4], "counts": "04"}}, r"annotation 7: .*size \[4, 4\]"),
        ({"bbox": [1.0, 2.0]}, "annotation 7: 'bbox' must be four"),
        ({"bbox": [1.0, 2.0, float("nan"), 1.0]}, "annotation 7: 'bbox' must be four"),
        ({"image_id": 11}, "annotation 7 belongs to image 11, which is not among the images"),
        ({"image_id": "x"}, "annotation 7: 'image_id' is 'x'"),
        ({"id": None}, "an annotation: 'id' is None"),
    ],
)
def test_a_bad_annotation_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    write_lvis(tmp_path, lvis_v1([annotation(1), annotation(7, **change)]))

    with pytest.raises(DataInvalid, match=reason):
        lvis(tmp_path, root=str(tmp_path))


@pytest.mark.parametrize("key", ["image_id", "category_id", "segmentation"])
def test_a_lacking_key_is_named(tmp_path: Path, key: str) -> None:
    record = annotation(7)
    del record[key]
    write_lvis(tmp_path, lvis_v1([annotation(1), record]))

    with pytest.raises(DataInvalid, match=f"annotation 7 has no '{key}'"):
        lvis(tmp_path, root=str(tmp_path))


def test_duplicate_annotation_ids_are_refused(tmp_path: Path) -> None:
    write_lvis(tmp_path, lvis_v1([annotation(1), annotation(1, 285)]))

    with pytest.raises(DataInvalid, match="annotation 1 is listed twice"):
        lvis(tmp_path, root=str(tmp_path))


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "lvis_v1_val.json", {"images": [], "label": "x"})

    with pytest.raises(DataInvalid, match="has no 'images'"):
        lvis(tmp_path, root=str(tmp_path))


def test_a_cut_off_annotation_file_is_named_with_the_byte(tmp_path: Path) -> None:
    path = write_lvis(tmp_path, lvis_v1([annotation(1), annotation(2)]))
    size = path.stat().st_size // 2
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(DataInvalid, match=f"lvis_v1_val.json is cut off: it ends at byte {size}"):
        lvis(tmp_path, root=str(tmp_path))


def test_missing_annotations_say_where_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"lvis_v1_val\.json is missing; get https://"):
        lvis(tmp_path, root=str(tmp_path))


def test_labels_and_annotations_of_the_1k_subset_must_be_aligned(tmp_path: Path) -> None:
    listed = [listed_image(139, ["cat"], [[SQUARE], [TRIANGLE]])]
    path = write(tmp_path / "subset.json", listed)

    with pytest.raises(DataInvalid, match="1 categories for 2 annotations"):
        lvis(tmp_path, annotations=str(path), subset="1k")


@pytest.mark.parametrize("label", [None, "", "  ", 5])
def test_a_region_without_label_is_refused(tmp_path: Path, label: object) -> None:
    path = write(tmp_path / "subset.json", [listed_image(139, ["cat", label], [[SQUARE]] * 2)])

    with pytest.raises(DataInvalid, match="annotation 1 has no label"):
        lvis(tmp_path, annotations=str(path), subset="1k")


def test_options_that_cannot_be_used_say_what_can(tmp_path: Path) -> None:
    with pytest.raises(SuiteOptionError, match=r"'subset' cannot be '2k'.*1k"):
        lvis(tmp_path, root=str(tmp_path), subset="2k")
    with pytest.raises(SuiteOptionError, match="needs its data: give option 'root'"):
        lvis(tmp_path)
    with pytest.raises(SuiteOptionError, match="no option 'rot'; did you mean 'root'"):
        lvis(tmp_path, rot=str(tmp_path))


def test_a_missing_or_corrupt_picture_is_an_error_of_its_query_only(tmp_path: Path) -> None:
    write_lvis(
        tmp_path,
        lvis_v1(
            [annotation(1, n) for n in (1,)]
            + [annotation(2, 3), annotation(3, 5), annotation(4, 7)],
            images=(1, 3, 5, 7),
        ),
    )
    folder = tmp_path / "val2017"
    (folder / "000000000001.jpg").unlink()
    (folder / "000000000003.jpg").write_bytes(b"no picture")
    write_picture(folder / "000000000005.jpg", WIDTH + 1, HEIGHT)
    suite = lvis(tmp_path, root=str(tmp_path))

    with pytest.raises(PictureError, match=r"000000000001\.jpg is missing"):
        suite.query(0)
    with pytest.raises(PictureError, match=r"000000000003\.jpg cannot be decoded"):
        suite.query(1)
    with pytest.raises(PictureError, match=r"000000000005\.jpg is 13×8 pixels"):
        suite.query(2)
    assert suite.query(3).region_ids == ("000000000007/4",)


@pytest.fixture
def sample(shared: Path) -> dict[str, str]:
    """Options of six real pictures with their LVIS v0.5 annotations."""
    root = shared / "data" / "lvis"
    return {
        "root": str(root),
        "annotations": str(root / "annotations" / "lvis_val_6_with_images.json"),
    }


@pytest.mark.shared
def test_real_annotations_become_the_masks_the_lvis_package_makes(
    tmp_path: Path, sample: dict[str, str]
) -> None:
    official = _official(sample["annotations"])
    suite = lvis(tmp_path, **sample)
    assert (len(suite), suite.card.version) == (6, "v0.5")

    seen = 0
    for index in range(len(suite)):
        record = suite.record(index)
        for region_id, rle, label in zip(
            record.region_ids, record.masks, record.labels, strict=True
        ):
            annotated = official.anns[int(region_id.split("/")[1])]
            assert np.array_equal(_decoded(rle), official.ann_to_mask(annotated))
            assert label == official.cats[annotated["category_id"]]["name"]
            assert record.image_id == f"{annotated['image_id']:012d}"
            seen += 1
    assert seen == len(official.anns) == 50


@pytest.mark.shared
def test_real_pictures_open_with_all_their_regions(tmp_path: Path, sample: dict[str, str]) -> None:
    suite = lvis(tmp_path, **sample)
    queries = list(suite.queries(Selection()))

    assert sum(len(query.masks) for query in queries) == 50
    for query in queries:
        assert query.boxes is not None
        assert len(query.boxes) == len(query.masks)
        for mask in query.masks:
            assert mask.size == (query.image.height, query.image.width)


@pytest.mark.shared
def test_all_of_a_larger_real_file_agrees_with_the_lvis_package(
    tmp_path: Path, shared: Path
) -> None:
    path = shared / "data" / "lvis" / "annotations" / "lvis_val_100.json"
    official = _official(str(path))
    frame = lvis(tmp_path, annotations=str(path)).references(Selection())

    assert len(frame) == len(official.anns) == 977
    for row in frame.to_dict("records"):
        category = official.cats[official.anns[int(row["region_id"].split("/")[1])]["category_id"]]
        assert row["category"] == category["name"]
        assert row["frequency"] == category["frequency"]
        assert row["synonyms"] == category["synonyms"]


def _official(path: str) -> Any:
    package = pytest.importorskip("lvis", exc_type=ImportError)
    logging.getLogger("lvis").setLevel(logging.WARNING)
    return package.LVIS(path)


def _decoded(rle: RLE) -> Any:
    return pycocotools.mask.decode({"size": list(rle.size), "counts": rle.counts})
