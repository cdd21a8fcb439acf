"""The generated suite: what its scenes promise, and the suite made of them."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco

from adapters.interface import JsonScalar, Task
from suites import registry
from suites.base import Level, Selection, SuiteOptionError
from suites.shapes.dice import Dice
from suites.shapes.files import scene_digest
from suites.shapes.geometry import SHAPES, silhouette
from suites.shapes.layout import RULES, Difficulty, Placement, draw_layout, stamp
from suites.shapes.scenes import MINIMUM_SIZE, Scene, Split, scene, split_of
from suites.shapes.vocabulary import COLOURS, NAMES
from tests.bench.fakes import FakeEncoder

SIZE = 128
Mask = NDArray[np.bool_]
SEEDS = st.integers(0, 2**32)
DIFFICULTIES = st.sampled_from(Difficulty)


@cache
def validation(count: int) -> tuple[Scene, ...]:
    return tuple(scene(0, Split.VALIDATION, i, SIZE, Difficulty.NORMAL) for i in range(count))


def box(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def reaches_into(one: Mask, other: Mask) -> bool:
    top, bottom, left, right = box(other)
    return bool(one[top : bottom + 1, left : right + 1].any())


def test_there_are_at_least_sixty_names_and_scenes_use_them_all() -> None:
    assert len(NAMES) == len(COLOURS) * len(SHAPES) >= 60
    assert {name for made in validation(120) for name in made.names} == set(NAMES)


def test_the_first_scene_is_the_one_every_machine_makes() -> None:
    made = scene(0, Split.VALIDATION, 0, SIZE, Difficulty.NORMAL)

    assert scene_digest(made).startswith("fa2353")
    assert made.names[0] == "purple square"


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(0, 1000), st.integers(MINIMUM_SIZE, 200), DIFFICULTIES)
def test_a_scene_depends_on_its_arguments_only(
    seed: int, index: int, size: int, difficulty: Difficulty
) -> None:
    one = scene(seed, Split.TRAIN, index, size, difficulty)
    other = scene(seed, Split.TRAIN, index, size, difficulty)

    assert scene_digest(one) == scene_digest(other)
    assert one.pixels.shape == (size, size, 3)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(MINIMUM_SIZE, 200), DIFFICULTIES)
def test_visible_parts_are_disjoint_and_of_their_names_colour(
    seed: int, size: int, difficulty: Difficulty
) -> None:
    made = scene(seed, Split.VALIDATION, 0, size, difficulty)
    rules = RULES[difficulty]

    assert made.masks.sum(axis=0).max() == 1
    assert 6 <= len(made.masks) == len(made.names) <= 8
    for mask, name in zip(made.masks, made.names, strict=True):
        colour, shape = name.split()
        off = np.abs(made.pixels[mask].astype(int) - COLOURS[colour]).max()
        assert off <= rules.tint + rules.noise
        assert shape in SHAPES


def test_every_scene_has_three_overlapping_pairs() -> None:
    for made in validation(120):
        pairs = combinations(made.masks, 2)
        assert sum(reaches_into(a, b) or reaches_into(b, a) for a, b in pairs) >= 3


def test_the_lower_shape_of_a_pair_is_partly_hidden_and_partly_seen() -> None:
    rules = RULES[Difficulty.NORMAL]
    for seed in range(40):
        layout = draw_layout(Dice(seed), SIZE, rules)
        hidden = 0
        for depth, lower in enumerate(layout):
            whole = stamp(lower, lower.shape, SIZE)
            seen = whole.copy()
            for upper in layout[depth + 1 :]:
                seen &= ~stamp(upper, upper.shape, SIZE)
            hidden += seen.sum() < whole.sum()
            assert seen.sum() * 100 >= whole.sum() * rules.visible_percent
        assert hidden >= 3


def test_many_regions_share_their_box_with_another_so_that_only_the_mask_tells_them() -> None:
    shared = regions = 0
    for seed in range(100):
        layout = draw_layout(Dice(seed), SIZE, RULES[Difficulty.NORMAL])
        places = [placement[2:] for placement in layout]
        shared += sum(places.count(place) > 1 for place in places)
        regions += len(places)

    assert shared / regions > 0.35


def test_colours_never_repeat_within_a_scene() -> None:
    for made in validation(120):
        colours = [name.split()[0] for name in made.names]
        assert len(set(colours)) == len(colours)


def test_train_and_validation_are_disjoint_whatever_their_seeds() -> None:
    digests: dict[Split, set[str]] = {
        split: {
            scene_digest(scene(seed, split, index, MINIMUM_SIZE, Difficulty.NORMAL))
            for seed in range(4)
            for index in range(10)
        }
        for split in Split
    }

    assert len(digests[Split.TRAIN]) == len(digests[Split.VALIDATION]) == 40
    assert not digests[Split.TRAIN] & digests[Split.VALIDATION]


@given(st.lists(st.builds(Placement, st.sampled_from(sorted(COLOURS)), st.sampled_from(SHAPES),
                          *[st.integers(0, 99)] * 3), max_size=8))  # fmt: skip
def test_a_layout_belongs_to_one_split_only(layout: list[Placement]) -> None:
    assert split_of(layout) is split_of(list(layout))
    assert split_of(layout) in Split


@given(st.sampled_from(SHAPES), st.integers(8, 90))
def test_a_silhouette_fills_its_box_and_is_left_right_symmetric(shape: str, side: int) -> None:
    mask = silhouette(shape, side)

    assert mask.shape == (side, side)
    assert mask.any(axis=0).all()
    assert mask.any(axis=1).all() or shape == "triangle"
    assert (mask == mask[:, ::-1]).mean() > 0.95


@pytest.mark.parametrize(
    ("shape", "share"),
    [("square", 1.0), ("circle", 0.785), ("triangle", 0.5), ("cross", 5 / 9), ("ring", 0.589)],
)
def test_a_silhouette_has_its_shapes_area(shape: str, share: float) -> None:
    assert silhouette(shape, 90).mean() == pytest.approx(share, abs=0.02)


def test_the_suite_asks_for_the_scenes_regions(tmp_path: Path) -> None:
    suite = registry.entry("shapes").load(cache=tmp_path, images=3)

    assert len(suite) == 3
    query = suite.query(1)
    made = scene(0, Split.VALIDATION, 1, SIZE, Difficulty.NORMAL)
    assert query.task is Task.CATEGORY
    assert np.array_equal(np.asarray(query.image), made.pixels)
    masks = [coco.decode({"size": m.size, "counts": m.counts}) for m in query.masks]
    assert np.array_equal(np.stack(masks).astype(bool), made.masks)
    references = suite.references(Selection())
    assert tuple(references["category"][references["image_id"] == query.image_id]) == made.names


def test_scores_have_the_main_metric_of_the_card(tmp_path: Path) -> None:
    suite = registry.entry("shapes").load(cache=tmp_path, images=3)
    answers = suite.references(Selection()).assign(text="red ring", status="answered")
    scores = suite.score(answers, FakeEncoder(), selection=Selection(), resamples=5)
    assert scores.main_metric == suite.card.main_metric == "semantic_iou"
    assert scores.main.metric == "semantic_iou"


def test_pictures_are_made_once_and_opened_again(tmp_path: Path) -> None:
    entry = registry.entry("shapes")
    first = entry.load(cache=tmp_path, images=2)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    again = entry.load(cache=tmp_path, images=2)

    assert again.digest == first.digest
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")} == written


def test_every_option_makes_another_suite(tmp_path: Path) -> None:
    entry = registry.entry("shapes")
    others: list[dict[str, JsonScalar]] = [
        {"seed": 1},
        {"size": 96},
        {"difficulty": "hard"},
        {"split": "train"},
        {"images": 3},
    ]
    suites = [entry.load(cache=tmp_path, **({"images": 2} | options)) for options in ({}, *others)]

    assert len({suite.digest for suite in suites}) == len(suites)
    assert len({suite.card.version for suite in suites}) == len(suites)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 32}, "'size' must be an integer from 64 to 2048, not 32"),
        ({"size": 99_999_999}, "'size' must be an integer from 64 to 2048, not 99999999"),
        ({"images": 0}, "'images' must be an integer from 1"),
        ({"images": True}, "'images' must be an integer"),
        ({"seed": "-1"}, "'seed' must be an integer from 0"),
        ({"difficulty": "norml"}, "did you mean 'normal'"),
        ({"splits": "train"}, "no option 'splits'; did you mean 'split'"),
    ],
)
def test_an_unusable_option_is_refused(
    options: dict[str, str | int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteOptionError, match=message):
        registry.entry("shapes").load(cache=tmp_path, **options)


def test_the_check_says_that_this_machine_makes_the_same_scenes() -> None:
    (finding,) = registry.entry("shapes").check()

    assert finding.level is Level.OK
    assert "200 scenes of 128 px" in finding.message
