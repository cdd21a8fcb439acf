"""Regions through the PAM adapter: boxes, odd and damaged masks, grouping, prompts and settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import batches
from adapters.interface import (
    RLE,
    Answer,
    Box,
    ExposesLogits,
    FinishReason,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    Status,
    Task,
)
from adapters.masks import PixelBox
from adapters.pam import adapter, modeling
from adapters.pam.adapter import PamRecognizer
from adapters.pam.boxes import BoxRule, box_points, read_boxes
from adapters.pam.prompting import QUESTIONS
from adapters.pam.vision import ImageFeatures
from tests.adapters import pam_goldens as golden
from tests.adapters.pam_goldens import HEIGHT, WIDTH, asking, rectangle

FEW = Generation(max_new_tokens=2)
SIX = Generation(max_new_tokens=6, forced_tokens=6)
GOOD = rectangle(60, 50, 140, 250)
REGIONS = (
    rectangle(14, 168, 157, 155),
    rectangle(241, 188, 19, 17),
    rectangle(0, 368, WIDTH, 112),
    rectangle(150, 200, 1, 1),
    rectangle(0, 0, WIDTH, HEIGHT),
)


def ask(masks: Sequence[RLE], generation: Generation = SIX, **others: JsonScalar) -> list[Answer]:
    (answers,) = golden.asker(**others).recognize([asking(masks)], generation)
    return answers


@cache
def alone() -> list[Answer]:
    """The answers of :data:`REGIONS`, each asked by itself."""
    return [ask([mask])[0] for mask in REGIONS]


def test_the_fixture_tells_regions_apart() -> None:
    assert len({answer.token_ids for answer in alone()}) == len(REGIONS)


@settings(max_examples=8)
@given(
    order=st.permutations(range(len(REGIONS))),
    cut=st.integers(1, len(REGIONS)),
    wave=st.integers(1, 6),
    regions=st.integers(1, 6),
    positions=st.sampled_from([1, 2500, 8192]),
)
def test_a_regions_answer_depends_neither_on_the_others_nor_on_grouping(
    order: list[int], cut: int, wave: int, regions: int, positions: int
) -> None:
    picked = order[:cut]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "WAVE", wave)
        patch.setattr(modeling, "REGION_BATCH", regions)
        patch.setattr(batches, "PREFILL_POSITIONS", positions)
        assert ask([REGIONS[i] for i in picked]) == [alone()[i] for i in picked]


def test_a_picture_is_encoded_once_for_all_its_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = golden.asker()
    encode, calls = recognizer.model.encode_image, list[torch.Size]()

    def counted(pixels: torch.Tensor) -> ImageFeatures:
        calls.append(pixels.shape)
        return encode(pixels)

    monkeypatch.setattr(recognizer.model, "encode_image", counted)
    monkeypatch.setattr(adapter, "WAVE", 2)
    recognizer.recognize([asking(REGIONS), asking([rectangle(0, 0, 0, 0)])], FEW)
    assert calls == [(1, 3, 1024, 1024)]


def test_the_same_bytes_come_out_again() -> None:
    query = asking(REGIONS[:2])
    once, twice = (golden.asker().first_token_logits(query) for _ in range(2))
    assert once.numpy().tobytes() == twice.numpy().tobytes()


def test_several_pictures_at_once_are_answered_like_one_by_one() -> None:
    model = golden.asker()
    other = golden.picture("a2")
    mask = golden.encode(np.ones((other.height, other.width), np.bool_))
    queries = [asking([GOOD]), asking([mask], Task.PHRASE, other)]
    assert model.recognize(queries, FEW) == [model.recognize([query], FEW)[0] for query in queries]


def test_logits_are_those_that_choose_the_first_token() -> None:
    model = golden.asker()
    assert isinstance(model, ExposesLogits)
    logits = model.first_token_logits(asking(REGIONS))
    assert (logits.dtype, logits.shape) == (torch.float32, (len(REGIONS), 402))
    assert logits.argmax(1).tolist() == [answer.token_ids[0] for answer in alone()]


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(rectangle(0, 0, WIDTH, 40), id="along the top border"),
        pytest.param(rectangle(WIDTH - 3, HEIGHT - 3, 3, 3), id="in the last corner"),
        pytest.param(rectangle(WIDTH - 1, HEIGHT - 1, 1, 1), id="last pixel"),
        pytest.param(rectangle(225, 0, 1, HEIGHT), id="one column"),
    ],
)
def test_odd_masks_are_answered(mask: RLE) -> None:
    (answer,) = ask([mask], FEW)
    assert answer.status is Status.ANSWERED
    assert answer.prompt_tokens == 1100


def test_regions_that_cannot_be_asked_say_why_and_leave_the_others_alone() -> None:
    wide = golden.encode(np.ones((HEIGHT, WIDTH + 1), np.bool_))
    masks = [rectangle(0, 0, 0, 0), GOOD, wide, RLE((HEIGHT, WIDTH), "this is no mask")]
    empty, good, wrong_size, damaged = ask(masks, FEW)
    assert [good] == ask([GOOD], FEW)
    assert empty == Answer.unanswerable("the mask is empty")
    assert wrong_size.status is damaged.status is Status.ERRORED
    assert "image 'astronaut', region 'region 2'" in (wrong_size.error or "")
    assert f"mask is {WIDTH + 1}x{HEIGHT}" in (wrong_size.error or "")
    assert "'region 3'" in (damaged.error or "")
    asked = ~torch.isnan(golden.asker().first_token_logits(asking(masks))).any(1)
    assert asked.tolist() == [False, True, False, False]


def test_a_query_where_nothing_can_be_asked_is_answered_without_the_model() -> None:
    assert ask([rectangle(0, 0, 0, 0)] * 2) == [Answer.unanswerable("the mask is empty")] * 2
    assert ask([]) == []
    assert golden.asker().first_token_logits(asking([])).shape == (0, 402)


def test_a_grey_picture_with_alpha_is_read_as_rgb() -> None:
    grey = golden.picture().convert("LA")
    as_they_are, as_rgb = (asking([GOOD], image=image) for image in (grey, grey.convert("RGB")))
    model = golden.asker()
    assert model.recognize([as_they_are], FEW) == model.recognize([as_rgb], FEW)


def test_a_prompt_without_room_for_its_answer_is_an_error_of_every_region() -> None:
    answers = ask([GOOD, rectangle(0, 0, 0, 0)], Generation(max_new_tokens=12000))
    assert answers[0].status is Status.ERRORED
    assert "exceed the model's context of 12288; shorten the question" in (answers[0].error or "")
    assert answers[1] == Answer.unanswerable("the mask is empty")


# Boxes.


def boxes_of(query: RegionQuery, rule: BoxRule) -> list[PixelBox | Answer]:
    return list(read_boxes(query, rule))


def test_the_masks_box_ends_behind_its_last_pixel() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[100, 30] = mask[220, 20] = mask[479, 319] = True
    query = asking([golden.encode(mask), rectangle(7, 9, 1, 1)], boxes=[Box(0, 0, 5, 5)] * 2)
    assert boxes_of(query, BoxRule.MASK) == [(20, 100, 320, 480), (7, 9, 8, 10)]


def test_the_annotated_box_is_cut_to_whole_numbers() -> None:
    annotated = [Box(10.9, 20.2, 30.05, 40.9), Box(-0.5, 3, 400, 0.5)]
    query = asking([GOOD, GOOD], boxes=annotated)
    assert boxes_of(query, BoxRule.ANNOTATION) == [(10, 20, 40, 61), (0, 3, 399, 3)]


def test_the_box_rule_changes_answers_and_is_on_the_card() -> None:
    query = asking([GOOD], boxes=[Box(200, 300, 90.5, 80)])
    logits = [golden.asker(box=rule).first_token_logits(query) for rule in ("mask", "annotation")]
    assert not torch.equal(*logits)
    same = asking([rectangle(200, 300, 90, 80)])
    assert torch.equal(logits[1], golden.asker().first_token_logits(same))
    assert golden.load(box="annotation").card.settings["box"] == "annotation"


def test_without_annotated_boxes_the_rule_is_refused() -> None:
    with pytest.raises(SettingError, match=r"image 'astronaut' comes without.*use box=mask"):
        ask([GOOD], box="annotation")


def test_an_impossible_annotated_box_is_an_error_of_its_region_only() -> None:
    query = asking([GOOD] * 2, boxes=[Box(float("nan"), 0, 3, 3), Box(1, 2, 30, 40)])
    broken, good = golden.asker(box="annotation").recognize([query], FEW)[0]
    assert broken.status is Status.ERRORED
    assert "'region 0': its annotated box is (nan, 0, 3, 3)" in (broken.error or "")
    assert good.status is Status.ANSWERED


def test_box_corners_are_scaled_along_each_side_apart() -> None:
    (points,) = box_points([PixelBox(160, 120, 320, 480)], WIDTH, HEIGHT).tolist()
    assert points == [[512, 256], [1024, 1024]]


def test_bfloat16_does_not_round_coordinates() -> None:
    tower = golden.load(dtype="bfloat16").model.vision_tower
    # A quarter of a pixel: bfloat16 has steps of four pixels here.
    points = torch.tensor([[[1000.0, 1000.0]], [[1000.25, 1000.0]]])
    first, second = tower.embed_prompts(points, torch.tensor([1]))[:, 0]
    assert first.dtype == torch.bfloat16
    assert not torch.equal(first, second)


# Decoding.


def penalised(penalty: float) -> PamRecognizer:
    model = golden.asker()
    model.generation = replace(model.generation, repetition_penalty=penalty)
    return model


def test_a_repetition_penalty_counts_what_was_said() -> None:
    twelve = Generation(12, forced_tokens=12)
    (plain,), (bent,) = (
        penalised(penalty).recognize([asking([GOOD])], twelve)[0] for penalty in (1.0, 50.0)
    )
    assert plain.token_ids[0] == bent.token_ids[0]
    assert len(set(bent.token_ids)) == 12
    assert len(set(plain.token_ids)) < 12


def test_answers_end_at_any_of_the_checkpoints_stop_tokens() -> None:
    assert golden.golden().generation.stop_ids == (382, 380)
    model = golden.asker()
    said = alone()[0].token_ids
    model.generation = replace(model.generation, stop_ids=(402, said[2]))
    (answer,) = model.recognize([asking(REGIONS[:1])], Generation(6))[0]
    assert answer.token_ids == said[:2]
    assert answer.finish_reason is FinishReason.STOP
    (forced,) = model.recognize([asking(REGIONS[:1])], SIX)[0]
    assert (forced.token_ids, forced.finish_reason) == (said, FinishReason.LENGTH)


# Prompts and settings.


@pytest.mark.parametrize("task", list(Task))
def test_every_task_has_a_trained_question(task: Task) -> None:
    model = golden.asker()
    prompt = model.prompt(asking([GOOD], task))
    text = model.prompter.tokenizer.decode(prompt.after)
    assert text == f"\n{QUESTIONS[task]}<|im_end|>\n<|im_start|>assistant\n"
    assert golden.golden().card.prompts[task] == QUESTIONS[task]


def test_a_question_of_ones_own_is_asked_and_on_the_card() -> None:
    question = "What is this? Answer in one word."
    card = golden.load(category_prompt=question).card
    assert card.prompts == {**QUESTIONS, Task.CATEGORY: question}
    (own,), (trained,) = ask([GOOD], FEW, category_prompt=question), ask([GOOD], FEW)
    assert own.prompt_tokens != trained.prompt_tokens


def test_the_card_tells_what_answered() -> None:
    card = golden.golden().card
    assert (card.name, card.checkpoint, card.dtype, card.device) == (
        "pam",
        "checkpoint",
        "float32",
        "cpu",
    )
    assert card.parameters == sum(p.numel() for p in golden.golden().model.parameters())
    assert card.settings == {
        "box": "mask",
        "vision_tower": "a file of its own",
        "repetition_penalty": 1.05,
    }
    assert not card.context_dependent


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"box": "masks"}, "did you mean 'mask'"),
        ({"box": True}, "box is True"),
        ({"vision_tower": 3}, "vision_tower is 3, expected text"),
        ({"category_prompt": "  "}, "category_prompt is empty"),
        ({"phrase_prompt": 1}, "phrase_prompt is 1, expected text"),
        ({"description_prompt": "<image>\nWhat?"}, "description_prompt must not hold <image>"),
        ({"boxes": "mask"}, "did you mean 'box'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    settings: dict[str, JsonScalar], complaint: str
) -> None:
    with pytest.raises(SettingError, match=complaint):
        golden.load(**settings)
