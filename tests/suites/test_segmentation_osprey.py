"""The panoptic suite against Osprey's own evaluation script, text in, numbers out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from metrics.encoder import SentenceEncoder
from suites.base import Scores, Selection, Suite
from suites.vocabularies import load_vocabulary
from tests.suites.segmentation_files import Panoptic, opened, values, write_ade20k


@pytest.fixture(scope="module")
def official(goldens: Path) -> Path:
    return goldens / "osprey_eval" / "openvocab"


@pytest.fixture(scope="module")
def suite(official: Path, tmp_path_factory: pytest.TempPathFactory) -> Suite:
    truth = json.loads((official / "gt.json").read_text())
    images = {a["image_id"]: _image(official, a) for a in truth["annotations"]}
    root = tmp_path_factory.mktemp("osprey") / "ADEChallengeData2016"
    write_ade20k(root, images)
    return opened("ade20k-panoptic", root)


def _image(official: Path, annotation: dict[str, Any]) -> Panoptic:
    with Image.open(official / annotation["file_name"]) as picture:
        red, green, blue = np.moveaxis(np.asarray(picture).astype(np.int64), -1, 0)
    with Image.open(official / f"{annotation['image_id']}_semantic.png") as picture:
        semantic = np.asarray(picture).astype(np.int64)
    segments = annotation["segments_info"]
    return Panoptic(
        red + 256 * green + 65536 * blue,
        semantic,
        {segment["id"]: segment["category_id"] for segment in segments},
        [segment["id"] for segment in segments if segment["iscrowd"]],
        {segment["id"]: segment["area"] for segment in segments},
    )


@pytest.fixture(scope="module")
def scores(suite: Suite, official: Path) -> Scores:
    predictions = json.loads((official / "predictions.json").read_text())
    answers = pd.DataFrame(
        [
            (f"{image}/{int(label):08d}", text.strip().removesuffix("</s>").strip(), "answered")
            for image, texts in predictions.items()
            for label, text in texts.items()
        ],
        columns=["region_id", "text", "status"],
    )
    return suite.score(answers, SentenceEncoder.load(), selection=Selection(), resamples=20)


@pytest.fixture(scope="module")
def expected(official: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((official / "expected.json").read_text())
    return content


def test_every_segment_gets_the_scripts_class(scores: Scores, expected: dict[str, Any]) -> None:
    labels = load_vocabulary("ade20k-150").labels
    found = scores.regions.groupby("image_id", sort=True)["predicted"].agg(list)
    for image, wanted in expected["images"].items():
        classes = [segment["pred_class"] for segment in wanted["segments_in_official_order"]]
        assert found[image] == [labels[klass] for klass in classes]


@pytest.mark.parametrize("suffix", ["", "[things]", "[stuff]"])
@pytest.mark.parametrize("metric", ["pq", "sq", "rq"])
def test_panoptic_quality_is_the_scripts(
    scores: Scores, expected: dict[str, Any], metric: str, suffix: str
) -> None:
    key = metric.upper() + {"": "", "[things]": "_th", "[stuff]": "_st"}[suffix]
    value = values(scores)[metric + suffix]
    assert value is not None
    assert 100 * value == pytest.approx(expected["panoptic_seg"][key], abs=1e-10)


def test_mean_iou_is_the_scripts(scores: Scores, expected: dict[str, Any]) -> None:
    value = values(scores)["miou"]
    assert value is not None
    assert 100 * value == pytest.approx(expected["sem_seg"]["mIoU"], abs=1e-10)


def test_as_many_classes_count_as_in_the_script(scores: Scores, expected: dict[str, Any]) -> None:
    counts = {score.metric: score.count for score in scores.table}
    assert [counts[metric] for metric in ("pq", "pq[things]", "pq[stuff]")] == [
        expected["num_categories"][group] for group in ("All", "Things", "Stuff")
    ]
