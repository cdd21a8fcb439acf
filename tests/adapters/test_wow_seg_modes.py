"""The three multi-instance modes: golden answers, equality, and what each promises."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

import adapters
from adapters import branches
from adapters.interface import (
    RLE,
    AdapterCard,
    Answer,
    ExposesLogits,
    FinishReason,
    Generation,
    JsonScalar,
    RegionQuery,
    Status,
    Task,
)
from adapters.language import LanguageConfig
from adapters.wow_seg import shared_prefix
from adapters.wow_seg.adapter import WowSegRecognizer
from adapters.wow_seg.attention import Cascade, cascade_mask
from adapters.wow_seg.cascade import FIRST_LOGITS_TOKENS, CascadeMode
from adapters.wow_seg.checkpoint import random_model
from adapters.wow_seg.configuration import VisionConfig, WowSegConfig
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.encoding import encode_pictures
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.preprocessing import RegionCrop
from adapters.wow_seg.prompting import CATEGORY_PROMPT, Prompter
from adapters.wow_seg.settings import Settings
from tests.adapters import wow_seg_goldens as golden

TWELVE = Generation(max_new_tokens=12, forced_tokens=12)
IMAGES = golden.images()


TINY = WowSegConfig(
    vision=VisionConfig(16, 2, 2, 32, image_size=32, patch_size=4),
    language=LanguageConfig(511, 32, 2, 4, 2, 48, max_position_embeddings=4096),
)


@cache
def tiny_model() -> WowSegModel:
    """A network of 16 tokens a tile whose answers vary from region to region."""
    model = random_model(TINY, 0, torch.device("cpu"), torch.float32)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                scale = 3.0 if "embed" in name else 3.0 * parameter[0].numel() ** -0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return model


def recognizer(
    multi_instance: str, end_of_turn: int | None = None, **others: JsonScalar
) -> WowSegRecognizer:
    """The tiny network in a mode; ``end_of_turn`` makes another token end the turn."""
    chosen = Settings.read({"multi_instance": multi_instance, "max_tiles": 6, **others})
    prompter = Prompter(golden.prompter().tokenizer)
    if end_of_turn is not None:
        prompter.tokens = prompter.tokens._replace(end_of_turn=end_of_turn)
    card = AdapterCard("wow-seg", 1, "tiny", "", 0, "float32", "cpu", chosen.prompts)
    return WowSegRecognizer(ModelContext(tiny_model(), prompter, chosen), card)


def official(multi_instance: str, image: golden.Case) -> WowSegRecognizer:
    """The golden checkpoint, set up as for an image's golden numbers."""
    loaded = adapters.load(
        "wow-seg",
        golden.CHECKPOINT,
        device="cpu",
        multi_instance=multi_instance,
        max_tiles=image["max_num"],
        scale=image["scale"],
    )
    assert isinstance(loaded, WowSegRecognizer)
    return loaded


def ask(
    multi_instance: str,
    query: RegionQuery,
    generation: Generation = TWELVE,
    **others: JsonScalar,
) -> list[Answer]:
    return recognizer(multi_instance, None, **others).recognize([query], generation)[0]


def boxes_query(boxes: Sequence[tuple[int, int, int, int]]) -> RegionQuery:
    """A picture with rectangular masks (left, top, width, height)."""
    picture = golden.picture(IMAGES[2])
    rles = []
    for x, y, width, height in boxes:
        mask = np.zeros((picture.height, picture.width), dtype=np.uint8, order="F")
        mask[y : y + height, x : x + width] = 1
        rles.append(RLE((picture.height, picture.width), coco.encode(mask)["counts"].decode()))
    ids = [f"box {i}" for i in range(len(rles))]
    return RegionQuery("picture", picture, None, rles, None, ids, Task.CATEGORY)


def of(query: RegionQuery, order: Sequence[int]) -> RegionQuery:
    """The query with its regions picked and ordered by ``order``."""
    return RegionQuery(
        query.image_id,
        query.image,
        None,
        [query.masks[i] for i in order],
        None,
        [query.region_ids[i] for i in order],
        query.task,
    )


@pytest.mark.parametrize("multi_instance", ["single", "shared-prefix"])
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image["id"])
def test_greedy_answers_are_the_official_ones(image: golden.Case, multi_instance: str) -> None:
    answers = official(multi_instance, image).recognize([golden.query(image)], TWELVE)[0]
    for answer, mask in zip(answers, image["masks"], strict=True):
        assert list(answer.token_ids) == mask["greedy_ids"]
        assert answer.text == mask["response"]
        assert answer.prompt_tokens == mask["prompt_length"]
        assert (answer.status, answer.finish_reason) == (Status.ANSWERED, FinishReason.LENGTH)


@pytest.mark.parametrize("multi_instance", ["single", "shared-prefix"])
def test_first_token_logits_are_the_official_ones(multi_instance: str) -> None:
    image = IMAGES[1]
    model = official(multi_instance, image)
    assert isinstance(model, ExposesLogits)
    logits = model.first_token_logits(golden.query(image))
    keys = [f"{image['id']}/{i}/first_logits" for i in range(len(image["masks"]))]
    wanted = torch.stack([golden.expected()[key] for key in keys])
    assert logits.dtype == torch.float32
    assert golden.largest_difference(logits, wanted) < golden.TOLERANCE


def test_the_tiny_network_tells_regions_apart() -> None:
    answers = ask("single", golden.query(IMAGES[0]))
    assert len({answer.token_ids for answer in answers}) >= 4
    assert all(len(set(answer.token_ids)) > 6 for answer in answers)


boxes = st.tuples(
    st.integers(0, 440), st.integers(0, 290), st.integers(0, 451), st.integers(0, 300)
) | st.tuples(st.integers(0, 450), st.integers(0, 299), st.just(1), st.just(1))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    regions=st.lists(boxes, min_size=1, max_size=6),
    wave=st.integers(1, 7),
    rows=st.sampled_from([1, 40, 1024]),
    tokens=st.integers(0, 6),
)
def test_shared_prefix_answers_like_single_for_any_regions_and_grouping(
    regions: list[tuple[int, int, int, int]], wave: int, rows: int, tokens: int
) -> None:
    query, generation = boxes_query(regions), Generation(tokens)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_prefix, "WAVE", wave)
        patch.setattr(branches, "ROWS", rows)
        assert ask("shared-prefix", query, generation) == ask("single", query, generation)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(6)), cut=st.integers(1, 6))
def test_a_regions_answer_depends_on_no_other_region(order: list[int], cut: int) -> None:
    query = golden.query(IMAGES[0])
    alone = ask("shared-prefix", query)
    picked = order[:cut]
    assert ask("shared-prefix", of(query, picked)) == [alone[i] for i in picked]


def test_several_pictures_at_once_are_answered_like_one_by_one() -> None:
    model = recognizer("shared-prefix")
    queries = [golden.query(image) for image in IMAGES]
    together = model.recognize(queries, TWELVE)
    assert together == [model.recognize([query], TWELVE)[0] for query in queries]


@pytest.mark.parametrize("position", range(4))
def test_answers_end_at_the_end_of_turn_wherever_each_reaches_it(position: int) -> None:
    query = golden.query(IMAGES[2], [0, 1, 2, 3, 4])
    free = ask("single", query)
    stop = free[1].token_ids[position]
    single, shared = (recognizer(m, stop) for m in ("single", "shared-prefix"))
    answers = single.recognize([query], Generation(12))[0]
    assert shared.recognize([query], Generation(12))[0] == answers
    for answer, unstopped in zip(answers, free, strict=True):
        ids = unstopped.token_ids
        if stop in ids:
            assert answer.token_ids == ids[: ids.index(stop)]
            assert answer.finish_reason is FinishReason.STOP
        else:
            assert answer.token_ids == ids
            assert answer.finish_reason is FinishReason.LENGTH
    forced = shared.recognize([query], TWELVE)[0]
    assert [a.token_ids for a in forced] == [a.token_ids for a in free]


def test_an_answer_without_text_is_empty() -> None:
    query = golden.query(IMAGES[2], [1])
    first = ask("single", query)[0].token_ids[0]
    answer = recognizer("shared-prefix", first).recognize([query], Generation(12))[0][0]
    assert (answer.status, answer.text, answer.token_ids) == (Status.EMPTY, "", ())
    assert answer.finish_reason is FinishReason.STOP


def assemble(model: WowSegRecognizer, query: RegionQuery, answers: Sequence[Answer]) -> list[int]:
    """The training sequence that these cascade answers make."""
    context = model.context
    crops = [context.crop(context.tile(query), query, i) for i in range(len(query.masks))]
    counts = [int(crop.keep.sum()) for crop in crops if isinstance(crop, RegionCrop)]
    tokens = context.model.config.tokens_per_tile * len(context.tile(query).tiles)
    template = context.settings.template(query.task)
    ids = [*context.prompter.prompt(template, tokens, counts).input_ids]
    separator = context.prompter.encode(context.settings.separator)
    for answer in answers:
        ids += [*answer.token_ids, *separator]
    ids[-1:] = context.prompter.encode("<|im_end|>\n")
    return ids


@pytest.mark.parametrize("variant", list(Cascade))
@pytest.mark.parametrize("separator", [",", " ,"])
@pytest.mark.parametrize("prompt", [CATEGORY_PROMPT, "Look! At <image>, and! <image>"])
def test_cascade_answers_are_what_teacher_forcing_them_predicts(
    variant: Cascade, separator: str, prompt: str
) -> None:
    model = recognizer(
        "cascade", cascade=variant.value, separator=separator, category_prompt=prompt
    )
    context = model.context
    query = golden.query(IMAGES[2], [0, 1, 2, 3, 4])
    answers = model.recognize([query], Generation(5))[0]
    ids = assemble(model, query, answers)
    assert ids.count(context.prompter.tokens.newline) == 6  # none of them in an answer
    with torch.inference_mode():
        crops = [context.crop(context.tile(query), query, i) for i in range(len(query.masks))]
        tiles, regions = encode_pictures(
            context.model,
            context.tile(query).tiles,
            [crop for crop in crops if isinstance(crop, RegionCrop)],
        )
        inputs = context.embed(ids, tiles, *regions)
        mark = context.prompter.encode(separator)[0]
        allowed = cascade_mask(ids, context.prompter.tokens, mark, variant)
        logits = context.model(inputs[None], allowed[None])[0]
    position = answers[0].prompt_tokens
    for i, answer in enumerate(answers):
        predicted = logits[position - 1 : position - 1 + len(answer.token_ids)].argmax(-1)
        assert predicted.tolist() == list(answer.token_ids), f"answer {i}"
        position += len(answer.token_ids) + 1
    assert {answer.finish_reason for answer in answers} <= {FinishReason.STOP, FinishReason.LENGTH}


@pytest.mark.parametrize("variant", list(Cascade))
def test_cascade_of_one_region_is_single(variant: Cascade) -> None:
    query = golden.query(IMAGES[0], [3])
    found = ask("cascade", query, cascade=variant.value)
    assert found == ask("single", query)


def test_cascade_answers_end_at_the_separator() -> None:
    model = recognizer("cascade")
    query = golden.query(IMAGES[2], [0, 1, 2, 3, 4])
    free = model.recognize([query], TWELVE)[0]
    mark = free[0].token_ids[2]
    mode = CascadeMode(model.context, mark)
    with torch.inference_mode():
        stopped = mode.recognize(query, CATEGORY_PROMPT, Generation(12))
    assert stopped[0].token_ids == free[0].token_ids[:2]
    assert stopped[0].finish_reason is FinishReason.STOP
    assert all(mark not in answer.token_ids for answer in stopped)


def test_the_end_of_turn_leaves_the_remaining_regions_of_a_cascade_empty() -> None:
    query = golden.query(IMAGES[2], [0, 1, 2, 3])
    free = ask("cascade", query, Generation(3))
    stop = free[1].token_ids[0]
    assert stop not in free[0].token_ids
    answers = recognizer("cascade", stop).recognize([query], Generation(3))[0]
    assert answers[0] == free[0]
    assert [a.finish_reason for a in answers[1:]] == [
        FinishReason.STOP,
        *[FinishReason.NONE] * (len(answers) - 2),
    ]
    assert {a.status for a in answers[1:]} == {Status.EMPTY}


def test_cascade_first_token_logits_lead_to_the_answers() -> None:
    model, query = recognizer("cascade"), golden.query(IMAGES[2], [0, 1])
    logits = model.first_token_logits(query)
    answers = model.recognize([query], Generation(FIRST_LOGITS_TOKENS))[0]
    assert logits.argmax(-1).tolist() == [a.token_ids[0] for a in answers]
    wanted = recognizer("single").first_token_logits(of(query, [0]))
    alone = model.first_token_logits(of(query, [0]))
    assert golden.largest_difference(alone, wanted) < golden.TOLERANCE


def test_a_prompt_too_long_for_the_model_is_an_error_that_says_so() -> None:
    query = golden.query(IMAGES[0], [0, 1])
    huge = Generation(max_new_tokens=2000)
    cascade = ask("cascade", query, huge)
    assert {a.status for a in cascade} == {Status.ERRORED}
    assert "context of 4096" in (cascade[0].error or "")
    assert "multi_instance=shared-prefix" in (cascade[0].error or "")
    for mode in ("single", "shared-prefix"):
        errored = ask(mode, query, Generation(max_new_tokens=4000))
        assert {a.status for a in errored} == {Status.ERRORED}
        assert "context of 4096" in (errored[0].error or "")


@pytest.mark.parametrize("region_tokens", ["fore2token", "blur2token"])
def test_pixel_prompts_use_every_token_of_the_crop(region_tokens: str) -> None:
    query = golden.query(IMAGES[0], [0, 4])
    plain = ask("shared-prefix", query)
    changed = ask("shared-prefix", query, region_tokens=region_tokens)
    assert changed == ask("single", query, region_tokens=region_tokens)
    model = recognizer("shared-prefix").context
    crops = [model.crop(model.tile(query), query, i) for i in range(2)]
    kept = [int(crop.keep.sum()) for crop in crops if isinstance(crop, RegionCrop)]
    grown = [a.prompt_tokens - b.prompt_tokens for a, b in zip(changed, plain, strict=True)]
    assert grown == [model.model.config.tokens_per_tile - k for k in kept]
    assert [a.token_ids for a in changed] != [a.token_ids for a in plain]
