"""Odd masks, damaged masks, prompts, settings and the card of the generic adapter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

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
)
from adapters.vlm.adapter import VlmRecognizer
from adapters.vlm.settings import DEFAULT_PROMPTS, RegionPrompt
from bench.config import load_config
from tests.adapters import vlm_models as tiny

HEIGHT, WIDTH = tiny.PHOTO.height, tiny.PHOTO.width
GOOD = tiny.rectangle(20, 30, 80, 160)
FEW = Generation(max_new_tokens=3)
MODEL_TYPES = [{"blip2": "blip-2"}.get(family, family) for family in tiny.FAMILIES]


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "qwen"
    tiny.qwen2_5_vl(path)
    return path


def load(folder: Path, **settings: JsonScalar) -> VlmRecognizer:
    loaded = adapters.load("vlm", folder, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, VlmRecognizer)
    return loaded


@pytest.mark.parametrize("region_prompt", list(RegionPrompt))
def test_odd_masks_are_answered(region_prompt: RegionPrompt, qwen: Path) -> None:
    masks = [
        tiny.rectangle(0, 0, HEIGHT, WIDTH),
        tiny.rectangle(0, 0, 4, WIDTH),
        tiny.rectangle(HEIGHT - 3, WIDTH - 3, HEIGHT, WIDTH),
        tiny.rectangle(50, 60, 51, 61),
        tiny.rectangle(0, 100, HEIGHT, 101),
    ]
    answers = load(qwen, region_prompt=region_prompt.value).recognize([tiny.asking(masks)], FEW)[0]
    assert [len(answer.token_ids) for answer in answers] == [3] * 5
    assert all(answer.error is None for answer in answers)


def test_regions_that_cannot_be_asked_say_why_and_leave_the_others_alone(qwen: Path) -> None:
    masks = [
        tiny.rectangle(0, 0, 0, 0),
        GOOD,
        RLE((HEIGHT, WIDTH + 1), tiny.encode(np.ones((HEIGHT, WIDTH + 1), np.bool_)).counts),
        RLE((HEIGHT, WIDTH), "this is no mask"),
    ]
    model = load(qwen)
    empty, good, wrong_size, damaged = model.recognize([tiny.asking(masks)], FEW)[0]
    assert [good] == model.recognize([tiny.asking([GOOD])], FEW)[0]
    assert empty == Answer.unanswerable("the mask is empty")
    assert wrong_size.status is damaged.status is Status.ERRORED
    assert "'region 2'" in (wrong_size.error or "")
    assert "'region 3'" in (damaged.error or "")
    asked = ~torch.isnan(model.first_token_logits(tiny.asking(masks))).any(1)
    assert asked.tolist() == [False, True, False, False]


def test_a_query_where_nothing_can_be_asked_is_answered_without_the_model(qwen: Path) -> None:
    nothing = tiny.asking([tiny.rectangle(0, 0, 0, 0)] * 2)
    model = load(qwen)
    assert model.recognize([nothing], FEW)[0] == [Answer.unanswerable("the mask is empty")] * 2
    assert model.recognize([tiny.asking([])], FEW) == [[]]
    assert torch.isnan(model.first_token_logits(nothing)).all()


def test_a_picture_the_processor_refuses_costs_its_own_region_only(qwen: Path) -> None:
    """Qwen's processor takes no picture 200 times as long as wide."""
    long = tiny.PHOTO.resize((6600, 40))
    masks = np.zeros((2, 40, 6600), dtype=np.bool_)
    masks[0, :1] = True
    masks[1, 10:40, 100:160] = True
    encoded = [tiny.encode(mask) for mask in masks]
    query = RegionQuery("strip", long, None, encoded, None, ["thin", "short"], Task.CATEGORY)
    thin, short = load(qwen).recognize([query], FEW)[0]
    assert thin.status is Status.ERRORED
    assert "image 'strip', region 'thin': ValueError: absolute aspect ratio" in (thin.error or "")
    assert short.status is Status.ANSWERED


def test_a_processor_that_cannot_batch_is_asked_one_by_one(
    qwen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, query = load(qwen), tiny.asking([GOOD, tiny.rectangle(0, 0, 90, 50)])
    expected = model.recognize([query], FEW)
    once = type(model._speaker.processor).__call__

    def unbatched(self: Any, *, text: list[str], **given: Any) -> Any:
        if len(text) > 1:
            raise TypeError("one text at a time")
        return once(self, text=text, **given)

    monkeypatch.setattr(type(model._speaker.processor), "__call__", unbatched)
    assert model.recognize([query], FEW) == expected


def test_an_answer_that_does_not_fit_the_context_is_an_error(qwen: Path) -> None:
    (answer,) = load(qwen).recognize([tiny.asking([GOOD])], Generation(max_new_tokens=1000))[0]
    assert answer.status is Status.ERRORED
    assert "up to 1000 answer positions exceed the model's context of 1024" in (answer.error or "")


@pytest.mark.parametrize("task", list(Task))
def test_every_task_has_a_question(task: Task, qwen: Path) -> None:
    model = load(qwen)
    (answer,) = model.recognize([tiny.asking([GOOD], task)], FEW)[0]
    question = DEFAULT_PROMPTS[RegionPrompt.CROP][task]
    named = load(qwen, **{f"{task.value}_prompt": f"{question}!"})
    (longer,) = named.recognize([tiny.asking([GOOD], task)], FEW)[0]
    assert longer.prompt_tokens == answer.prompt_tokens + 1
    assert named.card.prompts == {**model.card.prompts, task: f"{question}!"}


def test_tasks_and_pictures_can_be_mixed_in_one_call(qwen: Path) -> None:
    queries = [tiny.asking([GOOD], task) for task in (Task.PHRASE, Task.CATEGORY)]
    model = load(qwen)
    assert model.recognize(queries, FEW) == [
        answers for query in queries for answers in model.recognize([query], FEW)
    ]


def test_the_card_tells_what_answered(qwen: Path) -> None:
    card = load(qwen, crop_scale=1.5).card
    assert (card.name, card.checkpoint, card.dtype, card.device) == (
        "vlm",
        "qwen",
        "float32",
        "cpu",
    )
    assert card.parameters == 44944
    assert card.prompts == DEFAULT_PROMPTS[RegionPrompt.CROP]
    assert card.settings == {
        "region_prompt": "crop",
        "crop_scale": 1.5,
        "image_processor": "Qwen2VLImageProcessorPil",
        "repetition_penalty": 1.3,
    }
    assert card.licence is None
    assert not card.context_dependent
    outlined = load(qwen, region_prompt="outline").card
    assert outlined.settings["region_prompt"] == "outline"
    assert "crop_scale" not in outlined.settings
    assert "outlined in red" in outlined.prompts[Task.CATEGORY]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"region_prompt": "crops"}, "did you mean 'crop'"),
        ({"crop_scale": 0}, "crop_scale is 0"),
        ({"crop_scale": "two"}, "crop_scale is 'two'"),
        ({"crop_scale": 2, "region_prompt": "outline"}, "only used with region_prompt=crop"),
        ({"category_prompt": 3}, "category_prompt is 3, expected text"),
        ({"category_prompt": " "}, "category_prompt is empty"),
        ({"region_promt": "crop"}, "did you mean 'region_prompt'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    settings: dict[str, JsonScalar], complaint: str, qwen: Path
) -> None:
    with pytest.raises(SettingError, match=complaint):
        load(qwen, **settings)


def test_a_wider_crop_shows_the_model_more(qwen: Path) -> None:
    narrow, wide = (
        load(qwen, crop_scale=scale).recognize([tiny.asking([tiny.rectangle(40, 50, 80, 90)])], FEW)
        for scale in (1.0, 2.0)
    )
    assert narrow != wide


def test_the_documentation_names_the_questions_and_the_tested_models(repository: Path) -> None:
    page = (repository / "docs" / "generic_vlm.md").read_text(encoding="utf-8")
    for region_prompt, questions in DEFAULT_PROMPTS.items():
        for task, question in questions.items():
            assert f"| `{region_prompt.value}` | {task.value} | {question} |" in page
    assert all(f"`{model_type}`" in page for model_type in MODEL_TYPES)


def test_the_models_of_the_documentation_can_be_declared(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "generic_vlm.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    path = tmp_path / "bench.yaml"
    path.write_text(f"schema_version: 1\n{source}", encoding="utf-8")
    known = adapters.entry("vlm").settings
    for model in load_config(path).contents.models.values():
        assert model.adapter == "vlm"
        assert model.settings.keys() <= known.keys()
