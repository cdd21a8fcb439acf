"""Generic models of several families answer as transformers does, whoever shares their batch."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

import adapters
from adapters.interface import (
    Answer,
    ExposesLogits,
    FinishReason,
    Generation,
    JsonScalar,
    Status,
    Task,
)
from adapters.masks import decode_rle
from adapters.vlm.adapter import BATCH, VlmRecognizer
from adapters.vlm.preprocessing import show_region
from adapters.vlm.settings import DEFAULT_PROMPTS, RegionPrompt, Settings
from tests.adapters import vlm_models as tiny

# Crops of many shapes, in two batches; one mask is empty.
MASKS = [
    tiny.rectangle(0, 0, 160, 200),
    tiny.rectangle(20, 30, 80, 60),
    tiny.rectangle(100, 100, 110, 190),
    tiny.rectangle(5, 150, 6, 151),
    tiny.rectangle(0, 0, 0, 0),
    *(tiny.rectangle(10 * i, 12 * i, 10 * i + 40, 12 * i + 70) for i in range(6)),
]
EMPTY = 4
FEW = Generation(max_new_tokens=8)
# Their processors read videos too, which transformers itself cannot load without torchvision.
WITHOUT_VIDEO = ["llava", "gemma3", "idefics3"]

Folder = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The checkpoint of a family, built when first asked for."""
    root = tmp_path_factory.mktemp("models")

    def of(family: str) -> Path:
        path = root / family
        if not path.is_dir():
            tiny.FAMILIES[family](path)
        return path

    return of


def load(folder: Path, **settings: JsonScalar) -> VlmRecognizer:
    loaded = adapters.load("vlm", folder, device="cpu", **settings)  # type: ignore[arg-type]
    assert isinstance(loaded, VlmRecognizer)
    return loaded


def pictures(settings: Settings) -> list[Image.Image]:
    return [
        show_region(tiny.PHOTO, decode_rle(mask), settings)
        for index, mask in enumerate(MASKS)
        if index != EMPTY
    ]


def generated(model: Any, inputs: Any) -> tuple[int, ...]:
    with torch.inference_mode():
        sequences = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    return tuple(sequences[0, inputs["input_ids"].shape[1] :].tolist())


@pytest.mark.parametrize("family", WITHOUT_VIDEO)
@pytest.mark.parametrize("region_prompt", list(RegionPrompt))
def test_answers_are_those_of_transformers_chat_template_one_by_one(
    family: str, region_prompt: RegionPrompt, folder: Folder
) -> None:
    processor = AutoProcessor.from_pretrained(folder(family))
    model = AutoModelForImageTextToText.from_pretrained(folder(family)).eval()
    settings = {"region_prompt": region_prompt.value}
    question = DEFAULT_PROMPTS[region_prompt][Task.CATEGORY]
    expected = [
        generated(
            model,
            processor.apply_chat_template(
                [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image", "image": picture},
                            {"type": "text", "text": question},
                        ],
                    }
                ],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            ),
        )
        for picture in pictures(Settings.read(settings))
    ]
    answers = load(folder(family), **settings).recognize([tiny.asking(MASKS)], FEW)[0]
    assert [answer.token_ids for answer in answers if answer.token_ids] == expected


@pytest.mark.parametrize(("family", "image_token"), [("paligemma", "<image>"), ("blip2", "")])
def test_a_model_without_chat_template_is_given_the_question_as_its_processor_takes_it(
    family: str, image_token: str, folder: Folder
) -> None:
    processor = AutoProcessor.from_pretrained(folder(family))
    model = AutoModelForImageTextToText.from_pretrained(folder(family)).eval()
    question = f"{image_token}answer en what is it?"
    expected = [
        generated(model, processor(picture, question, return_tensors="pt"))
        for picture in pictures(Settings.read({}))
    ]
    for asked in ("answer en what is it?", question):
        recognizer = load(folder(family), category_prompt=asked)
        answers = recognizer.recognize([tiny.asking(MASKS)], FEW)[0]
        assert [answer.token_ids for answer in answers if answer.token_ids] == expected


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_an_answer_does_not_depend_on_the_other_regions(family: str, folder: Folder) -> None:
    recognizer = load(folder(family))
    assert len(MASKS) > BATCH
    together = recognizer.recognize([tiny.asking(MASKS)], FEW)[0]
    alone = [recognizer.recognize([tiny.asking([mask])], FEW)[0][0] for mask in MASKS]
    assert together == alone
    assert together[EMPTY] == Answer.unanswerable("the mask is empty")
    backwards = recognizer.recognize([tiny.asking(MASKS[::-1])], FEW)[0]
    assert backwards[::-1] == together


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_logits_choose_each_answers_first_token(family: str, folder: Folder) -> None:
    recognizer = load(folder(family), region_prompt="outline")
    assert isinstance(recognizer, ExposesLogits)
    logits = recognizer.first_token_logits(tiny.asking(MASKS))
    assert logits.dtype == torch.float32
    assert torch.isnan(logits).any(1).tolist() == [i == EMPTY for i in range(len(MASKS))]
    answers = recognizer.recognize([tiny.asking(MASKS)], FEW)[0]
    for row, answer in zip(logits, answers, strict=True):
        assert not answer.token_ids or answer.token_ids[0] == int(row.argmax())
    alone = recognizer.first_token_logits(tiny.asking([MASKS[1]]))
    assert torch.allclose(alone[0], logits[1], atol=1e-5)
    assert not torch.allclose(alone[0], logits[0], atol=1e-3)
    assert recognizer.first_token_logits(tiny.asking([])).shape == (0, logits.shape[1])


def changed(source: Path, target: Path, **generation: JsonScalar | list[int]) -> Path:
    """A copy with another ``generation_config.json``."""
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    path = target / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | generation))
    return target


def test_a_sampling_checkpoint_is_decoded_greedily_with_its_repetition_penalty(
    folder: Folder,
) -> None:
    generation = json.loads((folder("qwen2_5_vl") / "generation_config.json").read_text())
    assert generation["do_sample"]
    recognizer = load(folder("qwen2_5_vl"))
    assert recognizer.card.settings["repetition_penalty"] == 1.3
    answers = recognizer.recognize([tiny.asking(MASKS)], FEW)
    assert answers == recognizer.recognize([tiny.asking(MASKS)], FEW)


def test_the_penalty_does_not_count_padding(folder: Folder, tmp_path: Path) -> None:
    answers = load(folder("qwen2_5_vl")).recognize([tiny.asking(MASKS)], FEW)[0]
    assert len({answer.prompt_tokens for answer in answers}) > 3
    first = Counter(answer.token_ids[0] for answer in answers if answer.token_ids)
    source = changed(folder("qwen2_5_vl"), tmp_path / "padded")
    words = AutoTokenizer.from_pretrained(source)
    words.pad_token = words.convert_ids_to_tokens(first.most_common(1)[0][0])
    words.save_pretrained(source)
    recognizer = load(source)
    together = recognizer.recognize([tiny.asking(MASKS)], FEW)[0]
    alone = [recognizer.recognize([tiny.asking([mask])], FEW)[0][0] for mask in MASKS]
    assert together == alone


def test_the_penalty_is_transformers_own(folder: Folder, tmp_path: Path) -> None:
    source = changed(folder("llava"), tmp_path / "penalised", repetition_penalty=1.5)
    processor = AutoProcessor.from_pretrained(source)
    model = AutoModelForImageTextToText.from_pretrained(source).eval()
    recognizer = load(source, category_prompt="What?")
    answers = recognizer.recognize([tiny.asking(MASKS)], FEW)[0]
    expected = [
        generated(
            model,
            processor(
                picture,
                "<bos>user: <image>What?\nassistant:",
                return_tensors="pt",
            ),
        )
        for picture in pictures(Settings.read({}))
    ]
    assert [answer.token_ids for answer in answers if answer.token_ids] == expected
    plain = load(folder("llava"), category_prompt="What?").recognize([tiny.asking(MASKS)], FEW)[0]
    assert [answer.token_ids for answer in plain if answer.token_ids] != expected


def test_an_answer_ends_at_any_of_the_checkpoints_end_tokens(
    folder: Folder, tmp_path: Path
) -> None:
    free = load(folder("llava")).recognize([tiny.asking(MASKS)], FEW)[0]
    assert {answer.finish_reason for answer in free} == {FinishReason.LENGTH, FinishReason.NONE}
    stop = free[0].token_ids[3]
    recognizer = load(changed(folder("llava"), tmp_path / "stopping", eos_token_id=[257, stop]))
    for before, after in zip(free, recognizer.recognize([tiny.asking(MASKS)], FEW)[0], strict=True):
        ended = stop in before.token_ids
        until = before.token_ids.index(stop) if ended else len(before.token_ids)
        assert after.token_ids == before.token_ids[:until]
        if after.status is not Status.UNANSWERABLE:
            assert after.finish_reason is (FinishReason.STOP if ended else FinishReason.LENGTH)
    forced = recognizer.recognize([tiny.asking(MASKS)], Generation(8, forced_tokens=5))[0]
    assert [len(answer.token_ids) for answer in forced if answer.token_ids] == [5] * 10
    assert all(stop not in answer.token_ids for answer in forced)
    first = load(
        changed(folder("llava"), tmp_path / "mute", eos_token_id=free[0].token_ids[0])
    ).recognize([tiny.asking(MASKS[:1])], FEW)[0][0]
    assert (first.status, first.finish_reason) == (Status.EMPTY, FinishReason.STOP)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_nothing_is_printed_and_nothing_warned_of(
    family: str, folder: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    path = folder(family)
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(path).recognize([tiny.asking(MASKS)], FEW)
    assert capfd.readouterr() == ("", "")


def test_half_precision_models_answer(folder: Folder) -> None:
    recognizer = load(folder("idefics3"), dtype="bfloat16")
    assert recognizer.card.dtype == "bfloat16"
    assert torch.isfinite(recognizer.first_token_logits(tiny.asking(MASKS[:2]))).all()
