"""Odd masks, damaged masks, prompts and settings of the WOW-Seg adapter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from pycocotools import mask as coco

import adapters
from adapters.interface import (
    RLE,
    Answer,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    Status,
    Task,
    UnsupportedTask,
)
from adapters.masks import BoolMask
from adapters.wow_seg.adapter import WowSegRecognizer
from adapters.wow_seg.prompting import CATEGORY_PROMPT
from tests.adapters import wow_seg_goldens as golden

IMAGE = golden.images()[2]
WIDTH, HEIGHT = IMAGE["width"], IMAGE["height"]
FEW = Generation(max_new_tokens=2)
MODES = ["single", "shared-prefix", "cascade"]


def load(**settings: JsonScalar) -> WowSegRecognizer:
    settings = {"max_tiles": 1, **settings}
    loaded = adapters.load("wow-seg", golden.CHECKPOINT, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, WowSegRecognizer)
    return loaded


def encode(mask: BoolMask) -> RLE:
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return RLE((mask.shape[0], mask.shape[1]), counts)


def rectangle(top: int, left: int, bottom: int, right: int) -> RLE:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return encode(mask)


def asking(masks: Sequence[RLE], task: Task = Task.CATEGORY) -> RegionQuery:
    ids = [f"region {i}" for i in range(len(masks))]
    return RegionQuery("cat", golden.picture(IMAGE), None, masks, None, ids, task)


GOOD = rectangle(50, 60, 200, 300)


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(rectangle(0, 0, HEIGHT, WIDTH), id="whole picture"),
        pytest.param(rectangle(0, 0, 40, WIDTH), id="along the top border"),
        pytest.param(rectangle(HEIGHT - 3, WIDTH - 3, HEIGHT, WIDTH), id="in the last corner"),
        pytest.param(rectangle(150, 200, 151, 201), id="one pixel"),
        pytest.param(rectangle(0, 225, HEIGHT, 226), id="one column"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_odd_masks_are_answered(mask: RLE, mode: str) -> None:
    (answer,) = load(multi_instance=mode).recognize([asking([mask])], FEW)[0]
    assert answer.status is Status.ANSWERED
    assert len(answer.token_ids) == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_region_that_covers_no_token_is_answered_from_an_empty_run(mode: str) -> None:
    image = golden.images()[0]
    index = 4
    assert image["masks"][index]["token_count"] == 0
    query = golden.query(image, [index])
    (answer,) = load(multi_instance=mode, max_tiles=12).recognize([query], FEW)[0]
    assert list(answer.token_ids) == image["masks"][index]["greedy_ids"][:2]


@pytest.mark.parametrize("mode", MODES)
def test_regions_that_cannot_be_asked_say_why_and_leave_the_others_alone(mode: str) -> None:
    vanishing = next(c for c in golden.cases()["empty_after_resize"] if c["image"] == IMAGE["id"])
    masks = [
        rectangle(0, 0, 0, 0),
        GOOD,
        RLE((HEIGHT, WIDTH + 1), encode(np.ones((HEIGHT, WIDTH + 1), np.bool_)).counts),
        RLE((HEIGHT, WIDTH), "this is no mask"),
        RLE(tuple(vanishing["rle"]["size"]), vanishing["rle"]["counts"]),
    ]
    model = load(multi_instance=mode)
    empty, good, wrong_size, damaged, vanished = model.recognize([asking(masks)], FEW)[0]
    assert [good] == model.recognize([asking([GOOD])], FEW)[0]
    assert empty == Answer.unanswerable("the mask is empty")
    assert vanished.status is Status.UNANSWERABLE
    assert "left when the picture is resized to 448x448" in (vanished.error or "")
    assert wrong_size.status is damaged.status is Status.ERRORED
    assert "'region 2'" in (wrong_size.error or "")
    assert f"mask is {WIDTH + 1}x{HEIGHT}" in (wrong_size.error or "")
    assert "'region 3'" in (damaged.error or "")
    asked = ~torch.isnan(model.first_token_logits(asking(masks))).any(1)
    assert asked.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("mode", MODES)
def test_a_query_where_nothing_can_be_asked_is_answered_without_the_model(mode: str) -> None:
    answers = load(multi_instance=mode).recognize([asking([rectangle(0, 0, 0, 0)] * 2)], FEW)[0]
    assert answers == [Answer.unanswerable("the mask is empty")] * 2
    assert load(multi_instance=mode).recognize([asking([])], FEW) == [[]]


def test_a_grey_picture_with_alpha_is_read_as_rgb() -> None:
    model, query = load(), asking([GOOD])
    grey = golden.picture(IMAGE).convert("LA")
    other = RegionQuery("grey", grey, None, [GOOD], None, ["r"], Task.CATEGORY)
    as_rgb = RegionQuery("rgb", grey.convert("RGB"), None, [GOOD], None, ["r"], Task.CATEGORY)
    assert model.recognize([other], FEW) == model.recognize([as_rgb], FEW)
    assert torch.isfinite(model.first_token_logits(query)).all()


@pytest.mark.parametrize("task", [Task.PHRASE, Task.DESCRIPTION])
def test_a_task_without_trained_prompt_needs_one(task: Task) -> None:
    with pytest.raises(UnsupportedTask, match=f"no trained prompt for '{task.value}'.*"):
        load().recognize([asking([GOOD], task)], FEW)
    prompt = "Look: <image> What is in <image>?"
    model = load(**{f"{task.value}_prompt": prompt})
    assert model.card.prompts == {Task.CATEGORY: CATEGORY_PROMPT, task: prompt}
    (answer,) = model.recognize([asking([GOOD], task)], FEW)[0]
    assert answer.status is Status.ANSWERED
    (category,) = model.recognize([asking([GOOD])], FEW)[0]
    assert category.prompt_tokens != answer.prompt_tokens


def test_the_card_tells_what_answered() -> None:
    card = load(scale=1.5).card
    assert (card.name, card.checkpoint, card.dtype, card.device) == (
        "wow-seg",
        "checkpoint",
        "float32",
        "cpu",
    )
    assert card.parameters == sum(p.numel() for p in golden.model().parameters())
    assert card.settings == {
        "multi_instance": "shared-prefix",
        "scale": 1.5,
        "max_tiles": 1,
        "region_tokens": "mask2token",
    }
    assert not card.context_dependent
    cascade = load(multi_instance="cascade", cascade="output", separator=" ,").card
    assert cascade.context_dependent
    assert cascade.settings["cascade"] == "output"
    assert cascade.settings["separator"] == " ,"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"multi_instance": "shared"}, "did you mean 'shared-prefix'"),
        ({"multi_instance": "cascade", "cascade": "regions"}, "did you mean 'region'"),
        ({"cascade": "none"}, "only used with multi_instance=cascade"),
        ({"separator": ";"}, "only used with multi_instance=cascade"),
        ({"multi_instance": "cascade", "separator": "; and"}, "separator '; and' is"),
        ({"region_tokens": "mask"}, "region_tokens is 'mask'"),
        ({"scale": 0}, "scale is 0"),
        ({"scale": "two"}, "scale is 'two'"),
        ({"max_tiles": 0}, "max_tiles is 0"),
        ({"max_tiles": 2.5}, "max_tiles is 2.5"),
        ({"category_prompt": "What is this? <image>"}, "exactly twice"),
        ({"category_prompt": 3}, "category_prompt is 3, expected text"),
        ({"tiles": 4}, "did you mean 'max_tiles'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    settings: dict[str, JsonScalar], complaint: str
) -> None:
    with pytest.raises(SettingError, match=complaint):
        load(**settings)


def test_the_scale_changes_the_crop_and_so_the_prompt() -> None:
    narrow, wide = (load(scale=s).recognize([asking([GOOD])], FEW)[0][0] for s in (1.0, 2.5))
    assert narrow.prompt_tokens > wide.prompt_tokens
