"""What is known of the 1K subset's labels: frequencies and synonyms from another file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from suites.base import Finding, Level, Suite
from suites.registry import entry
from tests.suites.annotation_files import SQUARE, annotation, listed_image, lvis_v1, write


def options(tmp_path: Path, labels: list[str], categories: object = None) -> dict[str, Any]:
    """A 1K subset of one picture, and a file of categories where there is one."""
    listed = [listed_image(139, labels, [[SQUARE]] * len(labels))]
    chosen = {
        "annotations": str(write(tmp_path / "lvis_val_1k_category.json", listed)),
        "subset": "1k",
    }
    if categories is not None:
        chosen["categories"] = str(write(tmp_path / "lvis_v1_val.json", categories))
    return chosen


def metrics(suite: Suite) -> set[str]:
    return {metric.name for metric in suite.card.metrics}


def warnings(findings: list[Finding]) -> list[str]:
    return [f.message for f in findings if f.level is Level.WARNING and f.subject != "counts"]


def test_the_card_names_synonym_match_only_with_synonyms(tmp_path: Path) -> None:
    bare = options(tmp_path / "bare", ["cat"])
    full = options(tmp_path / "full", ["cat"], lvis_v1([annotation(1)]))
    names = [
        metrics(entry("lvis").load(cache=tmp_path / "cache", **chosen)) for chosen in (bare, full)
    ]
    assert names == [names[1] - {"synonym_match"}, names[0] | {"synonym_match"}]


def test_the_check_says_what_is_lacking_and_which_option_gives_it(tmp_path: Path) -> None:
    bare = warnings(entry("lvis").check(**options(tmp_path / "bare", ["cat"])))
    assert len(bare) == 2
    assert "no synonyms, so that synonym_match is not scored" in bare[0]
    assert "no frequencies" in bare[1]
    assert all("'categories'" in message for message in bare)

    full = options(tmp_path / "full", ["cat"], lvis_v1([annotation(1)]))
    assert not warnings(entry("lvis").check(**full))


@pytest.mark.parametrize(("key", "lacking"), [("synonyms", "synonyms"), ("frequency", "frequenc")])
def test_categories_that_lack_one_of_the_two_are_told(
    tmp_path: Path, key: str, lacking: str
) -> None:
    categories = lvis_v1([annotation(1)])
    for category in categories["categories"]:
        del category[key]
    (message,) = warnings(entry("lvis").check(**options(tmp_path, ["cat"], categories)))
    assert f"lvis_v1_val.json has no {lacking}" in message


def test_labels_that_are_no_category_are_counted_and_named(tmp_path: Path) -> None:
    labels = ["cat", "wolpertinger", "jackalope", "wolpertinger"]
    chosen = options(tmp_path, labels, lvis_v1([annotation(1)]))
    (message,) = warnings(entry("lvis").check(**chosen))
    assert message == (
        "2 of 3 labels, of 3 regions, are not among the 1,203 categories: jackalope; wolpertinger"
    )
