from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters.interface import Task
from suites.base import Selection, Suite, SuiteOptionError
from suites.registry import entry
from suites.segmentation.label_maps import read_labels, read_panoptic
from suites.shapes.vocabulary import NAMES
from tests.suites.segmentation_files import scored, true_answers, values


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def panoptic(cache: Path) -> Suite:
    return entry("shapes-panoptic").load(cache=cache, images=24)


@pytest.fixture(scope="module")
def masks(cache: Path) -> Suite:
    return entry("shapes-masks").load(cache=cache, images=24)


def test_true_names_score_full_marks(panoptic: Suite, masks: Suite) -> None:
    for suite in (panoptic, masks):
        scores = scored(suite, true_answers(suite))
        assert set(values(scores).values()) == {1.0}
        assert scores.counts.complete


def test_one_wrong_name_costs_the_classes_it_touches(panoptic: Suite) -> None:
    answers = true_answers(panoptic)
    others = [name for name in NAMES if name not in set(answers["text"])]
    region = answers.index[~answers["text"].str.endswith(("square", "cross"))][-1]
    wrong = answers.loc[region, "text"]
    answers.loc[region, "text"] = others[0]
    scores = scored(panoptic, answers)
    changed = scores.categories[scores.categories["value"] < 1]
    assert set(changed["category"]) <= {wrong, others[0]}
    assert values(scores)["pq[stuff]"] == 1.0 or others[0].endswith(("square", "cross"))
    pq = values(scores)["pq"]
    assert pq is not None
    assert pq < 1.0


def test_scenes_have_things_and_stuff_void_and_crowd(panoptic: Suite, cache: Path) -> None:
    folder = panoptic.record(0).path.parent.parent
    document = json.loads((folder / "panoptic.json").read_text())
    segments = [s for a in document["annotations"] for s in a["segments_info"]]
    things = {category["id"] for category in document["categories"] if category["isthing"]}
    assert {segment["category_id"] in things for segment in segments} == {True, False}
    crowds = [segment for segment in segments if segment["iscrowd"]]
    assert crowds
    assert all(segment["category_id"] in things for segment in crowds)
    ids = read_panoptic(folder / "panoptic" / "validation-000000.png")
    drawn = read_labels(folder / "annotations" / "validation-000000.png", 8)
    assert (ids == 0).any()
    assert np.array_equal(ids == 0, drawn == 0)


def test_both_suites_ask_about_the_same_pictures(panoptic: Suite, masks: Suite) -> None:
    assert panoptic.record(3).path == masks.record(3).path
    assert panoptic.query(3).image.size == (128, 128)
    assert {panoptic.card.task, masks.card.task} == {Task.CATEGORY}


def test_a_mask_suites_region_is_every_pixel_of_its_class(masks: Suite) -> None:
    record = masks.record(0)
    keys = [int(region.split("/")[1]) for region in record.region_ids]
    assert keys == sorted(keys)
    assert record.labels == tuple(NAMES[key] for key in keys)


def test_the_same_options_give_the_same_suite_anywhere(panoptic: Suite, tmp_path: Path) -> None:
    again = entry("shapes-panoptic").load(cache=tmp_path, images=24)
    assert again.digest == panoptic.digest
    other = entry("shapes-panoptic").load(cache=tmp_path, images=24, seed=1)
    assert other.digest != panoptic.digest
    assert other.card.version != panoptic.card.version


def test_the_selection_covers_the_first_scenes(panoptic: Suite) -> None:
    answers = true_answers(panoptic, Selection(limit=4))
    scores = scored(panoptic, answers, selection=Selection(limit=4))
    assert scores.counts.expected == len(answers)
    assert values(scores)["pq"] == 1.0


def test_options_are_those_of_shapes(tmp_path: Path) -> None:
    assert entry("shapes-panoptic").options == entry("shapes").options
    with pytest.raises(SuiteOptionError, match="'images' must be an integer from 1"):
        entry("shapes-masks").load(cache=tmp_path, images=0)
