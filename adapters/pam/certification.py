"""The golden fixture through the adapter: every stage against the official code's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from adapters.batches import Rows, decode_rows
from adapters.conformance import Comparison, Fixture, compare_close, compare_equal, compare_rounded
from adapters.decoding import Stopping
from adapters.interface import RLE, Answer, Generation, RegionQuery, Task
from adapters.pam.adapter import PamRecognizer, load
from adapters.pam.boxes import BOX_LABELS, BoxRule, read_boxes
from adapters.pam.modeling import IMAGE_TOKENS, SEMANTIC_TOKENS
from adapters.pam.preprocessing import scale_points, stretch
from adapters.pam.prompting import PLACEHOLDER, Prompt
from adapters.pam.settings import Settings
from adapters.pam.vision import GRID, DecodedPrompts, ImageFeatures
from adapters.pixels import normalise

TOLERANCE = 1e-4
LATE_TOLERANCE = 3e-4  # from the projectors on, and of mask logits
PIXEL_TOLERANCE = 1e-5
VISUAL_ID = -200  # what stands for the region's vectors in the fixture's token ids
_CROP = slice(496, 528)

Case = Mapping[str, Any]


class Picture(NamedTuple):
    """A picture's pixels ``[1, 3, 1024, 1024]`` and features, also as bfloat16 has them."""

    pixels: torch.Tensor
    features: ImageFeatures
    rounded: ImageFeatures


@dataclass(frozen=True, slots=True)
class Asked:
    """A case ready to be computed: its query, its prompt and the points SAM 2 is given.

    ``query`` has no region where the case's prompt is not a mask.
    """

    name: str
    case: Case
    query: RegionQuery
    prompt: Prompt
    points: torch.Tensor
    labels: torch.Tensor


def certify(folder: Path) -> Iterator[Comparison]:
    """Compare pixels, features, tokens, logits and answers, in float32 on the CPU.

    Cases prompted with boxes and points go through the network only. bfloat16 must begin its
    answers as float32 does, wherever that is certain.

    Args:
        folder: the fixture.

    Raises:
        FixtureError: a file or number is missing.
        CheckpointError: the fixture's checkpoint cannot be loaded.
    """
    fixture = Fixture.read(folder)
    recognizer = load(fixture.checkpoint, device="cpu", dtype="float32")
    rounded = load(fixture.checkpoint, device="cpu", dtype="bfloat16")
    official = [case for case in fixture.cases["cases"] if case["official"]]
    for file, cases in groupby(official, key=lambda case: case["image"]):
        image = Image.open(fixture.folder / file)
        with torch.inference_mode():
            picture = _encode(image, recognizer, rounded)
            for case in cases:
                asked = _ask(case, image, recognizer)
                yield from _compare_prompt(asked)
                yield from _compare_picture(fixture, asked, picture)
                yield from _compare_region(fixture, asked, recognizer, picture)
                yield from _compare_decoding(fixture, asked, recognizer, picture)
                yield from _compare_rounded(fixture, asked, rounded, picture)
                yield from _compare_answers(asked, recognizer)


def _encode(image: Image.Image, recognizer: PamRecognizer, rounded: PamRecognizer) -> Picture:
    stretched = stretch(image)
    pixels = normalise(stretched, torch.float32)
    other = normalise(stretched, torch.bfloat16)
    return Picture(pixels, recognizer.model.encode_image(pixels), rounded.model.encode_image(other))


def _ask(case: Case, image: Image.Image, recognizer: PamRecognizer) -> Asked:
    masks = [case["mask_rle"]] if case["prompt_type"] == "mask" else []
    told = torch.tensor(case["visual_prompt"], dtype=torch.float32).reshape(1, -1, 2)
    return Asked(
        name=case["id"],
        case=case,
        query=RegionQuery(
            image_id=case["image"],
            image=image,
            image_path=None,
            masks=[RLE(tuple(mask["size"]), mask["counts"]) for mask in masks],
            boxes=None,
            region_ids=[case["id"]] * len(masks),
            task=Task.CATEGORY,
        ),
        prompt=recognizer.prompter.prompt(_question(case)),
        points=scale_points(told, *image.size),
        labels=torch.tensor(case["vp_labels"] or BOX_LABELS),
    )


def _question(case: Case) -> str:
    question: str = case["user_text"].removeprefix(f"{PLACEHOLDER}\n")
    return question


def _compare_prompt(asked: Asked) -> Iterator[Comparison]:
    """Token ids, and the box of a mask."""
    case, prompt = asked.case, asked.prompt
    ids = (*prompt.before, VISUAL_ID, *prompt.after)
    yield compare_equal("prompt tokens", asked.name, ids, case["input_ids"])
    yield compare_equal("prompt length", asked.name, [prompt.length], [case["sequence_length"]])
    for box in read_boxes(asked.query, BoxRule.MASK):
        found = () if isinstance(box, Answer) else box
        yield compare_equal("box", asked.name, found, case["visual_prompt"])


def _compare_picture(fixture: Fixture, asked: Asked, picture: Picture) -> Iterator[Comparison]:
    """Pixels, and the features all regions of the picture share."""
    channels = picture.pixels[0].flatten(1)
    stats = [channels.mean(1), channels.std(1, correction=0), channels.amin(1), channels.amax(1)]
    fine, middle, coarse = (
        level[0, :, :: level.shape[2] // cells, :: level.shape[3] // cells]
        for level, cells in zip(picture.features, (16, 8, 8), strict=True)
    )
    for stage, found, name, tolerance in (
        ("pixels", torch.stack(stats, dim=1), "pixel_stats", PIXEL_TOLERANCE),
        ("pixels", picture.pixels[0, :, _CROP, _CROP], "pixel_crop", PIXEL_TOLERANCE),
        ("image features", fine, "fpn_s4", TOLERANCE),
        ("image features", middle, "fpn_s8", TOLERANCE),
        ("image features", coarse, "decoder_image_in", TOLERANCE),
    ):
        wanted = fixture.tensor(f"{asked.name}/{name}")
        yield compare_close(stage, asked.name, found, wanted, tolerance)


def _compare_region(
    fixture: Fixture, asked: Asked, recognizer: PamRecognizer, picture: Picture
) -> Iterator[Comparison]:
    """What SAM 2, the Perceiver and the projectors make of the prompt."""
    model = recognizer.model
    sparse = model.vision_tower.embed_prompts(asked.points, asked.labels)
    decoded = model.vision_tower.decode(picture.features, sparse)
    semantic, image = model.vision_resampler(decoded.chosen_tokens(), decoded.image)
    visual = model.perceive(decoded)[0]
    for stage, found, name, tolerance in (
        ("prompt embeddings", sparse[0], "sparse_embeddings", TOLERANCE),
        *_decoder_stages(decoded),
        ("semantic tokens", semantic[0], "perceiver_sem_tokens", TOLERANCE),
        ("image tokens", image[0, ::64], "perceiver_image_tokens", TOLERANCE),
        ("image token order", image[0].sum(1), "perceiver_image_tokens_sum", TOLERANCE),
        ("projected tokens", visual[:IMAGE_TOKENS:64], "proj_image_tokens", LATE_TOLERANCE),
        ("projected tokens", visual[-1 - SEMANTIC_TOKENS : -1], "proj_sem_tokens", LATE_TOLERANCE),
    ):
        wanted = fixture.tensor(f"{asked.name}/{name}")
        yield compare_close(stage, asked.name, found, wanted, tolerance)


def _decoder_stages(decoded: DecodedPrompts) -> list[tuple[str, torch.Tensor, str, float]]:
    cells = decoded.image[0].reshape(GRID, GRID, -1)[::8, ::8].permute(2, 0, 1)
    logits = decoded.mask_logits[0, :, ::16, ::16]
    return [
        ("mask tokens", decoded.mask_tokens[0], "mask_tokens", TOLERANCE),
        ("mask tokens", decoded.chosen_tokens()[0], "mid_mask_tokens", TOLERANCE),
        ("mask scores", decoded.iou_scores[0], "iou_pred", TOLERANCE),
        ("mask scores", decoded.stability, "stability_score", TOLERANCE),
        ("mask scores", decoded.object_logits[0], "object_score_logits", TOLERANCE),
        ("mask logits", logits, "low_res_masks", LATE_TOLERANCE),
        ("prompted features", cells, "mid_image_embed", TOLERANCE),
    ]


def _compare_decoding(
    fixture: Fixture, asked: Asked, recognizer: PamRecognizer, picture: Picture
) -> Iterator[Comparison]:
    """The language model's input, its logits step by step, and its answers."""
    model, case, name = recognizer.model, asked.case, asked.name
    prefix, prompts = _inputs(recognizer, asked, picture.features)
    inputs = torch.cat([prefix, prompts[0]])[::32]
    wanted = fixture.tensor(f"{name}/inputs_embeds")
    yield compare_close("input embeddings", name, inputs, wanted, LATE_TOLERANCE)
    rows = Rows(model.language_model, prefix)
    logits = [rows.start(prompts)]
    logits += [rows.step(torch.tensor([token])) for token in case["greedy_ids"][:-1]]
    wanted = fixture.tensor(f"{name}/first_logits")
    yield compare_close("first logits", name, logits[0][0], wanted, LATE_TOLERANCE)
    wanted = fixture.tensor(f"{name}/step_logits")
    yield compare_close("step logits", name, torch.cat(logits), wanted, LATE_TOLERANCE)
    stopping = Stopping(frozenset(), len(case["greedy_ids"]))
    penalty = recognizer.generation.repetition_penalty
    for stage, value, ids in (
        ("answer tokens", 1.0, case["greedy_ids"]),
        ("answer tokens, penalised", penalty, case["greedy_ids_genconfig"]),
    ):
        (decoded,) = decode_rows(model.language_model, prefix, prompts, stopping, value)
        yield compare_equal(stage, name, decoded.token_ids, ids)


def _inputs(
    recognizer: PamRecognizer, asked: Asked, features: ImageFeatures
) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompt's beginning ``[P, hidden]`` and the rest ``[1, L, hidden]``."""
    model = recognizer.model
    visual = model.encode_regions(features, asked.points, asked.labels)
    question = model.embed(asked.prompt.after)[None]
    return model.embed(asked.prompt.before), torch.cat([visual, question], dim=1)


def _compare_rounded(
    fixture: Fixture, asked: Asked, rounded: PamRecognizer, picture: Picture
) -> Iterator[Comparison]:
    """The first token in bfloat16, where float32 leaves no doubt."""
    prefix, prompts = _inputs(rounded, asked, picture.rounded)
    logits = Rows(rounded.model.language_model, prefix).start(prompts)[0]
    wanted = fixture.tensor(f"{asked.name}/first_logits")
    yield from compare_rounded(asked.name, logits, wanted)


def _compare_answers(asked: Asked, recognizer: PamRecognizer) -> Iterator[Comparison]:
    """Answers by the adapter's own door, which takes masks and penalises as the checkpoint says."""
    case = asked.case
    asker = PamRecognizer(
        recognizer.model,
        recognizer.prompter,
        recognizer.generation,
        Settings(questions={Task.CATEGORY: _question(case)}),
        recognizer.card,
    )
    count = len(case["greedy_ids_genconfig"])
    (answers,) = asker.recognize([asked.query], Generation(count, forced_tokens=count))
    for answer in answers:
        wanted = case["greedy_ids_genconfig"]
        yield compare_equal("answers", asked.name, answer.token_ids, wanted)
    text = recognizer.prompter.decode(case["greedy_ids"])
    yield compare_equal("answer text", asked.name, text, case["greedy_text"])
