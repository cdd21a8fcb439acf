"""Regions asked together, odd and damaged masks, pictures, prompts and settings of Osprey."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import branches
from adapters.interface import (
    RLE,
    Answer,
    FinishReason,
    Generation,
    JsonScalar,
    SettingError,
    Status,
    Task,
)
from adapters.language import LanguageModel
from adapters.osprey import shared_prefix
from adapters.osprey.modeling import EncodedImage
from adapters.osprey.prompting import CATEGORY_PROMPT, DESCRIPTION_PROMPT, PHRASE_PROMPT
from adapters.stepping import Stepper
from tests.adapters import osprey_goldens as golden
from tests.adapters.osprey_goldens import HEIGHT, WIDTH, asking, rectangle

FEW = Generation(max_new_tokens=3)
GOOD = rectangle(60, 50, 90, 70)
MASKS = [*golden.masks(), GOOD, rectangle(0, 0, WIDTH, HEIGHT), rectangle(40, 300, 200, 3)]


def ask(masks: list[RLE], generation: Generation = FEW, task: Task = Task.CATEGORY) -> list[Answer]:
    return golden.golden().recognize([asking(masks, task)], generation)[0]


@pytest.fixture(scope="module")
def alone() -> list[Answer]:
    """Each mask asked on its own."""
    return [ask([mask])[0] for mask in MASKS]


def test_the_fixtures_network_tells_regions_apart(alone: list[Answer]) -> None:
    assert len({answer.token_ids for answer in alone}) >= 5


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.lists(st.integers(0, len(MASKS) - 1), min_size=1, max_size=9),
    wave=st.integers(1, 9),
    rows=st.sampled_from([1, 60, 1024]),
)
def test_regions_together_are_answered_like_one_by_one_however_they_are_grouped(
    order: list[int], wave: int, rows: int, alone: list[Answer]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_prefix, "WAVE", wave)
        patch.setattr(branches, "ROWS", rows)
        assert ask([MASKS[i] for i in order]) == [alone[i] for i in order]


def test_first_logits_together_are_those_of_one_by_one() -> None:
    together = golden.golden().first_token_logits(asking(MASKS))
    for mask, row in zip(MASKS, together, strict=True):
        single = golden.golden().first_token_logits(asking([mask]))[0]
        torch.testing.assert_close(row, single, atol=1e-4, rtol=0)


def test_the_picture_and_the_prompts_beginning_are_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = golden.golden().model
    encoded, read = [], []
    encode, prefix = model.encode_image, branches.Branches

    def counting(pixels: torch.Tensor) -> EncodedImage:
        encoded.append(pixels)
        return encode(pixels)

    def reading(
        language_model: LanguageModel, beginning: torch.Tensor, stepper: Stepper | None
    ) -> branches.Branches:
        read.append(len(beginning))
        return prefix(language_model, beginning, stepper)

    monkeypatch.setattr(model, "encode_image", counting)
    monkeypatch.setattr("adapters.osprey.shared_prefix.Branches", reading)
    monkeypatch.setattr(shared_prefix, "WAVE", 2)
    (first, *_) = ask(MASKS)
    assert len(encoded) == 1
    (beginning,) = read
    assert 1024 < beginning < first.prompt_tokens - 2


def test_several_pictures_at_once_are_answered_like_one_by_one() -> None:
    recognizer = golden.golden()
    queries = [
        asking(golden.masks(name)[:2], task, golden.picture(name))
        for name, task in (
            ("img0", Task.PHRASE),
            ("img1", Task.CATEGORY),
            ("img2", Task.DESCRIPTION),
        )
    ]
    together = recognizer.recognize(queries, FEW)
    assert together == [recognizer.recognize([query], FEW)[0] for query in queries]


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(rectangle(0, 0, WIDTH, HEIGHT), id="whole picture"),
        pytest.param(rectangle(0, 0, WIDTH, 40), id="along the top border"),
        pytest.param(rectangle(WIDTH - 1, HEIGHT - 1, 1, 1), id="the last pixel"),
        pytest.param(rectangle(120, 0, 1, HEIGHT), id="one column"),
    ],
)
def test_odd_masks_are_answered(mask: RLE) -> None:
    (answer,) = ask([mask], Generation(2, forced_tokens=2))
    assert answer.status is Status.ANSWERED
    assert len(answer.token_ids) == 2


def test_a_mask_that_vanishes_on_every_grid_is_answered_from_the_biases() -> None:
    picture = golden.picture().resize((1024, 1024))
    scattered = np.zeros((1024, 1024), dtype=np.bool_)
    scattered[::64, ::64] = True
    corner = np.zeros((1024, 1024), dtype=np.bool_)
    corner[0, 0] = True
    masks = [golden.encode(scattered), golden.encode(corner)]
    query = asking(masks, image=picture)
    answers = golden.golden().recognize([query], Generation(2, forced_tokens=2))[0]
    assert [answer.status for answer in answers] == [Status.ANSWERED] * 2
    one, other = golden.golden().first_token_logits(query)
    # Neither is seen nor placed, so the model cannot tell them apart.
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def test_regions_that_cannot_be_asked_say_why_and_leave_the_others_alone() -> None:
    masks = [
        rectangle(0, 0, 0, 0),
        GOOD,
        golden.encode(np.ones((HEIGHT, WIDTH + 1), dtype=np.bool_)),
        RLE((HEIGHT, WIDTH), "this is no mask"),
    ]
    empty, good, wrong_size, damaged = ask(masks)
    assert [good] == ask([GOOD])
    assert empty == Answer.unanswerable("the mask is empty")
    assert wrong_size.status is damaged.status is Status.ERRORED
    assert "'region 2'" in (wrong_size.error or "")
    assert f"mask is {WIDTH + 1}x{HEIGHT}" in (wrong_size.error or "")
    assert "'region 3'" in (damaged.error or "")
    logits = golden.golden().first_token_logits(asking(masks))
    assert (~logits.isnan().any(1)).tolist() == [False, True, False, False]


def test_a_query_where_nothing_can_be_asked_is_answered_without_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(golden.golden().model, "encode_image", None)
    assert ask([rectangle(0, 0, 0, 0)] * 2) == [Answer.unanswerable("the mask is empty")] * 2
    assert ask([]) == []
    assert golden.golden().first_token_logits(asking([])).shape == (0, 560)


def test_a_grey_picture_with_alpha_is_read_as_rgb() -> None:
    grey = golden.picture().convert("LA")
    found, wanted = (
        golden.golden().recognize([asking([GOOD], image=image)], FEW)
        for image in (grey, grey.convert("RGB"))
    )
    assert found == wanted


def test_answers_end_at_the_end_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    forced = Generation(6, forced_tokens=6)
    free = ask(MASKS, forced)
    stop = free[0].token_ids[2]
    monkeypatch.setattr(golden.golden().prompter.tokenizer, "eos_id", stop)
    for answer, unstopped in zip(ask(MASKS, Generation(6)), free, strict=True):
        ids = unstopped.token_ids
        if stop in ids:
            assert answer.token_ids == ids[: ids.index(stop)]
            assert answer.finish_reason is FinishReason.STOP
        else:
            assert answer.token_ids == ids
            assert answer.finish_reason is FinishReason.LENGTH
    assert [answer.token_ids for answer in ask(MASKS, forced)] == [a.token_ids for a in free]


def test_a_prompt_too_long_for_the_model_is_an_error_that_says_so() -> None:
    answers = ask([GOOD, rectangle(0, 0, 0, 0)], Generation(max_new_tokens=4000))
    assert [answer.status for answer in answers] == [Status.ERRORED, Status.UNANSWERABLE]
    assert "context of 4096; use a shorter prompt or fewer new tokens" in (answers[0].error or "")


def test_every_task_has_the_authors_prompt() -> None:
    assert golden.golden().card.prompts == {
        Task.CATEGORY: CATEGORY_PROMPT,
        Task.PHRASE: PHRASE_PROMPT,
        Task.DESCRIPTION: DESCRIPTION_PROMPT,
    }
    lengths = {
        task: ask([GOOD], Generation(1), task)[0].prompt_tokens
        for task in golden.golden().card.prompts
    }
    wanted = {run["prompt_kind"]: run["expanded_length"] for run in golden.cases()["runs"]}
    assert lengths == {
        Task.CATEGORY: wanted["lvis_paco"],
        Task.PHRASE: wanted["open_vocab"],
        Task.DESCRIPTION: wanted["demo_detailed"],
    }


def test_a_prompt_of_ones_own_is_used_and_told() -> None:
    prompt = "<image>\nName <mask><pos> in a word."
    recognizer = golden.load(phrase_prompt=prompt)
    assert recognizer.card.prompts[Task.PHRASE] == prompt
    assert recognizer.card.prompts[Task.CATEGORY] == CATEGORY_PROMPT
    (own,) = recognizer.recognize([asking([GOOD], Task.PHRASE)], FEW)[0]
    assert own.prompt_tokens < ask([GOOD], FEW, Task.PHRASE)[0].prompt_tokens


@pytest.mark.parametrize(
    ("given_settings", "complaint"),
    [
        ({"category_prompt": "What is <mask><pos>?"}, "must hold <image> exactly once"),
        ({"category_prompt": "<image>\nWhat is it?"}, "must hold <mask><pos> exactly once"),
        ({"phrase_prompt": "<image> <mask><pos> or <mask><pos>?"}, "it holds it 2 times"),
        ({"phrase_prompt": "<image> <mask><pos> or <mask>?"}, "must hold <mask> exactly once"),
        ({"description_prompt": "<mask><pos> of <image>"}, "<image> before <mask><pos>"),
        ({"description_prompt": " "}, "description_prompt is empty"),
        ({"category_prompt": 3}, "category_prompt is 3, expected text"),
        ({"vision_tower": 3}, "vision_tower is 3, expected text"),
        ({"tower": "x"}, "did you mean 'vision_tower'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    given_settings: dict[str, JsonScalar], complaint: str
) -> None:
    with pytest.raises(SettingError, match=complaint):
        golden.load(**given_settings)  # type: ignore[arg-type]
