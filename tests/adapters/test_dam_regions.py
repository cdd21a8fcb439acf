"""Regions asked together, odd and damaged masks, tasks, prompts and settings of DAM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import batches
from adapters.dam import ENTRY, adapter, encoding
from adapters.dam.adapter import DamRecognizer
from adapters.dam.prompting import DESCRIPTION_PROMPT, JOINT_DESCRIPTION_PROMPT
from adapters.dam.settings import read_prompts
from adapters.interface import (
    RLE,
    Answer,
    FinishReason,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    Status,
    Task,
    UnsupportedTask,
)
from adapters.resampling import Resampler, resize_by_products
from tests.adapters import dam_goldens as golden
from tests.adapters.dam_goldens import asking, rectangle

FEW = Generation(max_new_tokens=4)
GOOD = rectangle(60, 50, 90, 70)
WHOLE = rectangle(20, 10, 400, 280)  # its focal crop is the whole picture


def ask(query: RegionQuery, generation: Generation = FEW) -> list[Answer]:
    return golden.tiny().recognize([query], generation)[0]


boxes = st.tuples(
    st.integers(0, 450), st.integers(0, 299), st.integers(1, 451), st.integers(1, 300)
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    regions=st.lists(boxes, min_size=1, max_size=5),
    wave=st.integers(1, 6),
    batch=st.integers(1, 6),
    positions=st.sampled_from([1, 60, 8192]),
    tokens=st.integers(0, 5),
)
def test_regions_together_are_answered_like_one_by_one_however_they_are_grouped(
    regions: list[tuple[int, int, int, int]], wave: int, batch: int, positions: int, tokens: int
) -> None:
    masks, generation = [rectangle(*box) for box in regions], Generation(tokens)
    alone = [ask(asking([mask]), generation)[0] for mask in masks]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "WAVE", wave)
        patch.setattr(encoding, "VISION_BATCH", batch)
        patch.setattr(batches, "PREFILL_POSITIONS", positions)
        assert ask(asking(masks), generation) == alone


def test_the_official_answers_do_not_depend_on_order_or_company() -> None:
    cases = [case for case in golden.cases() if case["image"] == "a_astronaut.jpg"]
    assert {case["crop_equals_full"] for case in cases} == {True, False}
    for chosen in (cases[::-1], cases[1:3], [cases[3], cases[3], cases[0]]):
        answers = golden.golden().recognize([golden.golden_query(chosen)], FEW)[0]
        found = [list(answer.token_ids) for answer in answers]
        assert found == [case["generated_ids"][:4] for case in chosen]


def test_the_tiny_network_tells_regions_apart() -> None:
    masks = [GOOD, WHOLE, rectangle(200, 100, 1, 1), rectangle(0, 0, 451, 40)]
    answers = ask(asking(masks))
    assert len({answer.token_ids for answer in answers}) == 4


def test_a_focal_crop_of_the_whole_picture_goes_with_others_in_one_batch() -> None:
    masks = [WHOLE, GOOD, rectangle(0, 0, 451, 300), rectangle(300, 200, 20, 20), WHOLE]
    assert ask(asking(masks)) == [ask(asking([mask]))[0] for mask in masks]
    logits = golden.tiny().first_token_logits(asking(masks))
    torch.testing.assert_close(logits[0], logits[4], atol=1e-4, rtol=0)


def test_answers_do_not_depend_on_what_resizes_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = [WHOLE, GOOD, rectangle(0, 0, 0, 0), rectangle(200, 100, 1, 1)]
    wanted = ask(asking(masks))
    by_products = Resampler(torch.device("cpu"), resize_by_products)
    monkeypatch.setattr(Resampler, "beside", lambda device: by_products)
    assert ask(asking(masks)) == wanted


def test_several_pictures_at_once_are_answered_like_one_by_one() -> None:
    model = golden.tiny()
    other = golden.picture("c_coffee.jpg")
    mask = golden.encode(np.ones((other.height, other.width), dtype=np.bool_))
    queries = [asking([GOOD, WHOLE]), asking([mask], image=other), asking([])]
    together = model.recognize(queries, FEW)
    assert together == [model.recognize([query], FEW)[0] for query in queries]
    assert together[2] == []


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(rectangle(0, 0, 451, 300), id="whole picture"),
        pytest.param(rectangle(0, 0, 451, 40), id="along the top border"),
        pytest.param(rectangle(448, 297, 3, 3), id="in the last corner"),
        pytest.param(rectangle(200, 150, 1, 1), id="one pixel"),
        pytest.param(rectangle(225, 0, 1, 300), id="one column"),
    ],
)
def test_odd_masks_are_answered(mask: RLE) -> None:
    (answer,) = golden.golden().recognize([asking([mask])], FEW)[0]
    assert answer.status in (Status.ANSWERED, Status.EMPTY)
    assert answer.finish_reason is not FinishReason.NONE
    assert answer.prompt_tokens == 291


def test_a_picture_of_a_few_pixels_is_answered() -> None:
    image = golden.picture().resize((3, 2))
    mask = golden.encode(np.array([[0, 1, 0], [0, 0, 0]], dtype=np.bool_))
    (answer,) = ask(asking([mask], image=image))
    assert answer.status is Status.ANSWERED


def test_regions_that_cannot_be_asked_say_why_and_leave_the_others_alone() -> None:
    masks = [
        rectangle(0, 0, 0, 0),
        GOOD,
        RLE((300, 452), golden.encode(np.ones((300, 452), np.bool_)).counts),
        RLE((300, 451), "this is no mask"),
    ]
    empty, good, wrong_size, damaged = ask(asking(masks))
    assert [good] == ask(asking([GOOD]))
    assert empty == Answer.unanswerable("the mask is empty")
    assert wrong_size.status is damaged.status is Status.ERRORED
    assert "image 'cat', region 'region 2'" in (wrong_size.error or "")
    assert "mask is 452x300" in (wrong_size.error or "")
    assert "'region 3'" in (damaged.error or "")
    asked = ~torch.isnan(golden.tiny().first_token_logits(asking(masks))).any(1)
    assert asked.tolist() == [False, True, False, False]


def test_a_query_where_nothing_can_be_asked_is_answered_without_the_model() -> None:
    masks = [rectangle(0, 0, 0, 0)] * 2
    assert ask(asking(masks)) == [Answer.unanswerable("the mask is empty")] * 2
    assert golden.tiny().first_token_logits(asking(masks)).isnan().all()
    assert golden.tiny().first_token_logits(asking([])).shape == (0, 512)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "L"])
def test_a_picture_of_any_mode_is_read_as_rgb(mode: str) -> None:
    image = golden.picture().convert(mode)
    if "A" in mode:
        image.putalpha(120)
    found = ask(asking([GOOD], image=image))
    assert found == ask(asking([GOOD], image=image.convert("RGB")))


def test_answers_end_at_the_checkpoints_end_token_only() -> None:
    cases = [case for case in golden.cases() if case["image"] == "c_coffee.jpg"]
    model, query = golden.golden(), golden.golden_query(cases)
    free, forced = (
        model.recognize([query], Generation(12, forced_tokens=forced))[0] for forced in (None, 12)
    )
    assert [a.finish_reason for a in free] == [FinishReason.LENGTH, FinishReason.STOP]
    assert [len(a.token_ids) for a in forced] == [12, 12]
    assert free[1].token_ids == forced[1].token_ids[:4]
    assert "</s>" not in forced[1].text


def test_a_prompt_too_long_for_the_model_is_an_error_that_says_so() -> None:
    good, empty = ask(asking([GOOD, rectangle(0, 0, 0, 0)]), Generation(max_new_tokens=4000))
    assert good.status is Status.ERRORED
    assert "context of 4096; use fewer new tokens or a shorter prompt" in (good.error or "")
    assert empty == Answer.unanswerable("the mask is empty")


@pytest.mark.parametrize("task", [Task.CATEGORY, Task.PHRASE])
def test_a_task_without_trained_prompt_needs_one(task: Task) -> None:
    with pytest.raises(UnsupportedTask, match=f"no trained prompt for '{task}'.*{task}_prompt"):
        golden.tiny().recognize([asking([GOOD], task)], FEW)
    prompt = "<image>\nName it."
    model = golden.tiny(**{f"{task.value}_prompt": prompt})
    assert model.card.prompts == {Task.DESCRIPTION: DESCRIPTION_PROMPT, task: prompt}
    named, described = model.recognize([asking([GOOD], task), asking([GOOD])], FEW)
    assert named[0].status is Status.ANSWERED
    assert named[0].prompt_tokens < described[0].prompt_tokens


def test_one_task_without_prompt_refuses_the_call_before_anything_is_asked() -> None:
    with pytest.raises(UnsupportedTask):
        golden.tiny().recognize([asking([GOOD]), asking([GOOD], Task.CATEGORY)], FEW)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"category_prompt": "What is this?"}, "must hold <image> exactly once; it holds it 0"),
        ({"description_prompt": "<image><image>"}, "it holds it 2 times"),
        ({"phrase_prompt": 3}, "phrase_prompt is 3, expected text"),
        ({"catgory_prompt": "<image>"}, "did you mean 'category_prompt'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    given: dict[str, JsonScalar], complaint: str
) -> None:
    with pytest.raises(SettingError, match=complaint):
        golden.load(**given)


@pytest.mark.parametrize(
    ("checkpoint", "prompt"),
    [
        ("nvidia/DAM-3B", DESCRIPTION_PROMPT),
        ("nvidia/DAM-3B-Self-Contained", DESCRIPTION_PROMPT),
        ("nvidia/DAM-3B-Video", JOINT_DESCRIPTION_PROMPT),
        ("downloads/DAM-3B-Video", JOINT_DESCRIPTION_PROMPT),
    ],
)
def test_the_joint_model_is_asked_in_its_own_words(checkpoint: str, prompt: str) -> None:
    assert read_prompts(checkpoint, {}) == {Task.DESCRIPTION: prompt}
    given = "<image> What?"
    assert read_prompts(checkpoint, {"description_prompt": given}) == {Task.DESCRIPTION: given}


def test_the_card_tells_what_answered() -> None:
    card = golden.golden().card
    assert (card.name, card.checkpoint, card.dtype, card.device) == (
        "dam",
        "checkpoint",
        "float32",
        "cpu",
    )
    assert card.parameters == 288_342  # what the four files hold
    assert len(card.checkpoint_digest) == 64
    assert card.prompts == {Task.DESCRIPTION: DESCRIPTION_PROMPT}
    assert not card.context_dependent


def test_a_preset_answers_with_a_stand_in_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "preset_config", lambda name: golden.TINY)
    loaded = ENTRY.load(preset="dam-3b", device="cpu", seed=4)
    assert isinstance(loaded, DamRecognizer)
    assert loaded.card.checkpoint == "dam-3b (random weights)"
    answers = loaded.recognize([asking([GOOD, WHOLE])], Generation(3, forced_tokens=3))[0]
    assert [len(answer.token_ids) for answer in answers] == [3, 3]
    # The real vocabulary cuts this prompt into 50 pieces; most words are one in both.
    assert 40 < answers[0].prompt_tokens - golden.TINY.image_tokens < 60
