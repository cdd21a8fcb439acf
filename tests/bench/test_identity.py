from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.interface import RLE, AdapterCard, Generation, Task
from bench.identity import Asker, answer_identities, run_id
from suites.base import SuiteCard

CARD = AdapterCard(
    name="fake",
    revision=1,
    checkpoint="folder",
    checkpoint_digest="c0ffee",
    parameters=1,
    dtype="float32",
    device="cpu",
    prompts={Task.CATEGORY: "What is it?"},
    settings={"scale": 2, "mode": "single"},
)
SUITE = SuiteCard(
    name="s",
    version="1",
    summary="",
    task=Task.CATEGORY,
    metrics=(),
    main_metric="m",
    protocol="p",
    licence="",
    source="",
    citation="",
)
GENERATION = Generation(max_new_tokens=100)
masks = st.builds(
    RLE,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.text("0123456789abcPQR", min_size=1, max_size=6),
)


def asker(card: AdapterCard = CARD, generation: Generation = GENERATION) -> Asker:
    return Asker.of(card, Task.CATEGORY, generation)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"revision": 2},
        {"checkpoint_digest": "decaf"},
        {"dtype": "bfloat16"},
        {"prompts": {Task.CATEGORY: "Name it."}},
        {"settings": {"scale": 2, "mode": "cascade"}},
        {"settings": {"scale": 2}},
        {"settings": {"scale": 2.5, "mode": "single"}},
        {"context_dependent": True},
    ],
)
def test_whatever_an_answer_depends_on_changes_who_is_asked(change: dict[str, Any]) -> None:
    assert asker(replace(CARD, **change)).digest != asker().digest


@pytest.mark.parametrize(
    "change",
    [
        {"device": "cuda:1"},
        {"checkpoint": "the same folder moved"},
        {"parameters": 2},
        {"licence": "MIT"},
        {"settings": {"mode": "single", "scale": 2}},
        {"prompts": {Task.CATEGORY: "What is it?", Task.DESCRIPTION: "Describe it."}},
    ],
)
def test_what_no_answer_depends_on_changes_nothing(change: dict[str, Any]) -> None:
    assert asker(replace(CARD, **change)).digest == asker().digest


@pytest.mark.parametrize("generation", [Generation(99), Generation(100, forced_tokens=8)])
def test_generation_limits_are_part_of_the_question(generation: Generation) -> None:
    assert asker(generation=generation).digest != asker().digest


@given(st.lists(masks, min_size=1, max_size=5), st.lists(masks, max_size=3))
def test_a_regions_identity_does_not_depend_on_its_neighbours(
    own: list[RLE], others: list[RLE]
) -> None:
    alone = answer_identities(asker(), "picture", own)
    together = answer_identities(asker(), "picture", [*others, *own])
    assert together[len(others) :] == alone


@given(st.lists(masks, min_size=1, max_size=5), masks)
def test_a_context_dependent_models_identities_depend_on_all_regions(
    own: list[RLE], another: RLE
) -> None:
    context = asker(replace(CARD, context_dependent=True))
    alone = answer_identities(context, "picture", own)
    together = answer_identities(context, "picture", [*own, another])
    assert set(alone).isdisjoint(together)


@given(masks, masks, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]))
def test_identities_are_equal_exactly_when_picture_and_mask_are(
    first: RLE, second: RLE, picture: str, other: str
) -> None:
    (left,) = answer_identities(asker(), picture, [first])
    (right,) = answer_identities(asker(), other, [second])
    assert (left == right) == ((first, picture) == (second, other))


def test_a_run_belongs_to_one_version_of_one_suite() -> None:
    ids = {
        run_id(asker(), SUITE, "d"),
        run_id(asker(), replace(SUITE, version="2"), "d"),
        run_id(asker(), replace(SUITE, name="t"), "d"),
        run_id(asker(), SUITE, "e"),
    }
    assert len(ids) == 4


def test_identities_are_pinned_so_that_stored_answers_stay_valid() -> None:
    assert asker().digest[:16] == "ba088755166547dd"
    (identity,) = answer_identities(asker(), "picture", [RLE((2, 3), "06")])
    assert identity[:16] == "fb3b66633a6c01cc"
