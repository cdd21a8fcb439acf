"""The golden fixture through the adapter: every stage against the official code's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from adapters.batches import Rows, decode_rows
from adapters.conformance import Comparison, Fixture, compare_close, compare_equal, compare_rounded
from adapters.dam.adapter import DamRecognizer, load
from adapters.dam.checkpoint import load_model
from adapters.dam.encoding import encode_regions, full_features, fused_features
from adapters.dam.layout import find_layout
from adapters.dam.modeling import DamModel
from adapters.dam.preprocessing import (
    RegionView,
    focal_box,
    normalise,
    stretch,
    view_regions,
)
from adapters.dam.prompting import Prompt
from adapters.decoding import Stopping
from adapters.interface import RLE, Generation, RegionQuery, Task
from adapters.masks import PixelBox, box_of_mask, decode_rle

PIXEL_TOLERANCE = 1e-5
TOLERANCE = 1e-4
FUSED_TOLERANCE = 5e-4  # their values reach 39
WINDOW = 32  # pixels a side of the stored cut-outs
BLOCK = 48  # pixels a side of the blocks whose means are stored
TOKEN_STEP = 27
"""The fixture holds every 27th token of a picture's features: the first of every row."""

Case = Mapping[str, Any]


class Seen(NamedTuple):
    """A case as the network sees it: the stretched picture, the region, and their features."""

    picture: torch.Tensor
    region: RegionView
    full: torch.Tensor
    fused: torch.Tensor
    tokens: torch.Tensor


def certify(folder: Path) -> Iterator[Comparison]:
    """Compare crops, pixels, tokens, features, logits and answers, in float32 on the CPU.

    In bfloat16, first tokens are compared with those of float32.

    Raises:
        FixtureError: a file or number is missing.
        CheckpointError: the fixture's checkpoint cannot be loaded.
    """
    fixture = Fixture.read(folder)
    recognizer, rounded = (
        load(
            fixture.checkpoint,
            device="cpu",
            dtype=dtype,
            description_prompt=fixture.cases["query"],
        )
        for dtype in ("float32", "bfloat16")
    )
    yield from _compare_crops(fixture)
    yield from _compare_prompts(fixture, recognizer)
    pictures = sorted({case["image"] for case in fixture.cases["cases"]})
    for name in pictures:
        cases = [case for case in fixture.cases["cases"] if case["image"] == name]
        yield from _compare_answers(fixture, cases, recognizer)
        rows = rounded.first_token_logits(_query(fixture, cases))
        for case, row in zip(cases, rows, strict=True):
            wanted = fixture.tensor(f"{case['id']}.first_logits")
            yield from compare_rounded(case["id"], row, wanted)
    for case in fixture.cases["cases"]:
        yield from _compare_stages(fixture, case, _see(fixture, case, recognizer.model))
    yield from _compare_always_fused(fixture, recognizer)
    for case in fixture.cases["multi_image_cases"]:
        yield from _compare_pictures(fixture, case, recognizer)


def _compare_crops(fixture: Fixture) -> Iterator[Comparison]:
    for row in fixture.cases["crop_geometry"]["rows"]:
        width, height, x, y, w, h, *wanted = row
        found = focal_box(PixelBox(x, y, x + w, y + h), width, height)
        case = f"{w}x{h} at {x},{y} of {width}x{height}"
        yield compare_equal("crop boxes", case, found, wanted)


def _compare_prompts(fixture: Fixture, recognizer: DamRecognizer) -> Iterator[Comparison]:
    cases = fixture.cases
    for case in (*cases["tokenization"], *cases["multi_image_cases"]):
        ids = _official_ids(fixture, recognizer.prompter.prompt(case["query"]))
        yield compare_equal("prompt tokens", case["query"], ids, case["input_ids"])
    prompt = recognizer.prompter.prompt(cases["query"])
    length = prompt.length(recognizer.model.config.image_tokens)
    for case in cases["cases"]:
        ids = _official_ids(fixture, prompt)
        yield compare_equal("prompt tokens", case["id"], ids, case["input_ids"])
        yield compare_equal("prompt length", case["id"], [length], [case["sequence_length"]])


def _official_ids(fixture: Fixture, prompt: Prompt) -> list[int]:
    """One sequence, with the official placeholder for every picture."""
    ids = [*prompt.pieces[0]]
    for piece in prompt.pieces[1:]:
        ids += [fixture.cases["image_token_id"], *piece]
    return ids


def _compare_answers(
    fixture: Fixture, cases: Sequence[Case], recognizer: DamRecognizer
) -> Iterator[Comparison]:
    """First logits and greedy answers of one picture's regions, asked together."""
    query = _query(fixture, cases)
    logits = recognizer.first_token_logits(query)
    answers = recognizer.recognize([query], Generation(fixture.cases["max_new_tokens"]))[0]
    for case, row, answer in zip(cases, logits, answers, strict=True):
        name = case["id"]
        wanted = fixture.tensor(f"{name}.first_logits")
        yield compare_close("first logits", name, row, wanted, TOLERANCE)
        ids = _without_end(case, recognizer)
        yield compare_equal("answer tokens", name, answer.token_ids, ids)
        yield compare_equal("answer text", name, answer.text, case["generated_text"])


def _without_end(case: Case, recognizer: DamRecognizer) -> list[int]:
    """The official ids, which include the one that ended the answer."""
    ids: list[int] = case["generated_ids"]
    return ids[:-1] if ids[-1] in recognizer.model.config.stop_ids else ids


@torch.inference_mode()
def _see(fixture: Fixture, case: Case, model: DamModel) -> Seen:
    """Take one case through the vision path, alone."""
    query = _query(fixture, [case])
    picture = stretch(query.image, model.config.vision.image_size)
    regions = view_regions(picture, [decode_rle(query.masks[0])])
    full = full_features(model, picture.stretched, regions)
    fused = fused_features(model, full, regions)
    tokens = encode_regions(model, picture.stretched, regions)
    return Seen(picture.stretched, regions[0], full[0], fused[0], tokens[0])


def _compare_stages(fixture: Fixture, case: Case, seen: Seen) -> Iterator[Comparison]:
    """Boxes, pixels, features and image tokens of one case."""
    name = case["id"]
    box = box_of_mask(decode_rle(_rle(case)))
    x, y, w, h = case["mask_box_xywh"]
    yield compare_equal("mask boxes", name, box, (x, y, x + w, y + h))
    focal = focal_box(box, case["width"], case["height"])
    yield compare_equal("crop boxes", name, focal, case["focal_box_xyxy"])
    yield compare_equal(
        "focal crop used", name, [seen.region.focal], [case["context_provider_used"]]
    )
    for part, found in _pixels(case, seen).items():
        wanted = fixture.tensor(f"{name}.pixels.{part}")
        yield compare_close(f"pixels ({part})", name, found, wanted, PIXEL_TOLERANCE)
    for stage, features, tolerance in (
        ("full_features", seen.full, TOLERANCE),
        ("fused_features", seen.fused, FUSED_TOLERANCE),
    ):
        for key, rows in (("", features), (".rows", features[::TOKEN_STEP])):
            if f"{name}.{stage}{key}" in fixture.expected:
                wanted = fixture.tensor(f"{name}.{stage}{key}")
                yield compare_close(stage.replace("_", " "), name, rows, wanted, tolerance)
    wanted = fixture.tensor(f"{name}.image_tokens")
    yield compare_close("image tokens", name, seen.tokens, wanted, TOLERANCE)


def _pixels(case: Case, seen: Seen) -> dict[str, torch.Tensor]:
    """Windows and statistics of the eight normalised planes, as the fixture holds them."""
    full, crop = (
        normalise(torch.cat(pixels), torch.float32)
        for pixels in (
            (seen.picture, seen.region.mask),
            (seen.region.crop, seen.region.crop_mask),
        )
    )
    planes = torch.cat([full, crop])
    values = planes.flatten(1)
    stats = (values.mean(1), values.std(1, correction=0), values.amin(1), values.amax(1))
    blocks = planes.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK)
    return {
        "window_full": _window(full, *case["window_full_rc"]),
        "window_crop": _window(crop, *case["window_crop_rc"]),
        "stats": torch.stack(stats, dim=1),
        "block_means": blocks.mean((3, 4)),
    }


def _window(planes: torch.Tensor, row: int, column: int) -> torch.Tensor:
    return planes[:, row : row + WINDOW, column : column + WINDOW]


@torch.inference_mode()
def _compare_always_fused(fixture: Fixture, recognizer: DamRecognizer) -> Iterator[Comparison]:
    """A focal crop that is the whole picture, under the switch that fuses it all the same."""
    model, config = recognizer.model, recognizer.model.config
    if config.context is None:
        return
    always = load_model(find_layout(fixture.checkpoint), model.device, model.dtype)
    always.config = replace(config, context=replace(config.context, always=True))
    for case in fixture.cases["cases"]:
        key = f"{case['id']}.image_tokens_treat_image_as_cimage_true"
        if key in fixture.expected:
            found, wanted = _see(fixture, case, always).tokens, fixture.tensor(key)
            yield compare_close("image tokens, always fused", case["id"], found, wanted, TOLERANCE)


@torch.inference_mode()
def _compare_pictures(
    fixture: Fixture, case: Case, recognizer: DamRecognizer
) -> Iterator[Comparison]:
    """A prompt about several pictures, which the network answers but the adapter never asks."""
    name, model = case["id"], recognizer.model
    shown = [c for i in case["case_ids"] for c in fixture.cases["cases"] if c["id"] == i]
    tokens = torch.stack([_see(fixture, c, model).tokens for c in shown])
    wanted = fixture.tensor(f"{name}.image_tokens")
    yield compare_close("image tokens", name, tokens, wanted, TOLERANCE)
    prompt = recognizer.prompter.prompt(case["query"])
    length = prompt.length(model.config.image_tokens)
    yield compare_equal("prompt length", name, [length], [case["sequence_length"]])
    prefix = model.embed(prompt.pieces[0])
    rest = model.follow(tokens[None], prompt.pieces[1:])
    logits = Rows(model.llm, prefix).start(rest)[0]
    wanted = fixture.tensor(f"{name}.first_logits")
    yield compare_close("first logits", name, logits, wanted, TOLERANCE)
    limit = fixture.cases["max_new_tokens"]
    stopping = Stopping.of(Generation(limit), *model.config.stop_ids)
    answer = decode_rows(model.llm, prefix, rest, stopping)[0]
    ids = _without_end(case, recognizer)
    yield compare_equal("answer tokens", name, answer.token_ids, ids)
    text = recognizer.prompter.decode(answer.token_ids)
    yield compare_equal("answer text", name, text, case["generated_text"])


def _query(fixture: Fixture, cases: Sequence[Case]) -> RegionQuery:
    """Cases of one picture as one query."""
    return RegionQuery(
        image_id=cases[0]["image"],
        image=Image.open(fixture.folder / "inputs" / cases[0]["image"]).convert("RGB"),
        image_path=None,
        masks=[_rle(case) for case in cases],
        boxes=None,
        region_ids=[case["id"] for case in cases],
        task=Task.DESCRIPTION,
    )


def _rle(case: Case) -> RLE:
    return RLE(tuple(case["rle"]["size"]), case["rle"]["counts"])
