"""The golden fixture through the adapter: every stage against the official code's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from adapters.conformance import (
    Comparison,
    Fixture,
    FixtureError,
    compare_close,
    compare_equal,
)
from adapters.interface import RLE, Generation, RegionQuery, Task
from adapters.masks import BoolMask, decode_rle
from adapters.pixels import normalise
from adapters.wow_seg.adapter import WowSegRecognizer, load
from adapters.wow_seg.attention import Cascade, cascade_mask, parse_segments
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.encoding import encode_pictures
from adapters.wow_seg.preprocessing import (
    RegionCrop,
    TiledImage,
    crop_region,
    tile_image,
)
from adapters.wow_seg.prompting import CATEGORY_PROMPT
from adapters.wow_seg.settings import MultiInstance

TOLERANCE = 1e-4
PIXEL_TOLERANCE = 1e-6
PIXEL_STEP = 56
TOKEN_STEP = 17
"""The fixture holds every 56th pixel in both directions, and every 17th token of a tile."""

# The name of each variant's numbers in expected.safetensors, and of its mask in attention.npz.
VARIANTS: Mapping[Cascade, tuple[str, str | None]] = {
    Cascade.REGION_OUTPUT: ("logits", "allow"),
    Cascade.REGION: ("logits_region", "allow_region"),
    Cascade.OUTPUT: ("logits_output", "allow_output"),
    Cascade.NONE: ("logits_none", None),
}

Case = Mapping[str, Any]
Attention = Mapping[str, BoolMask]


class Encoded(NamedTuple):
    """A picture with some of its regions, as the network sees it.

    ``tiles`` are features ``[tiles * tokens, hidden]``, ``regions`` one ``[k, hidden]`` each.
    """

    tiled: TiledImage
    crops: list[RegionCrop]
    tiles: torch.Tensor
    regions: list[torch.Tensor]


def certify(folder: Path) -> Iterator[Comparison]:
    """Compare pixels, tokens, features, attention, logits and answers, in float32 on the CPU.

    Args:
        folder: the fixture; besides the usual files it holds ``attention.npz``.

    Raises:
        FixtureError: a file or number is missing.
        CheckpointError: the fixture's checkpoint cannot be loaded.
    """
    fixture = Fixture.read(folder)
    attention = _read_attention(folder)
    for image in fixture.cases["images"]:
        query = _query(fixture, image)
        recognizers = {
            mode: load(
                fixture.checkpoint,
                device="cpu",
                dtype="float32",
                multi_instance=mode.value,
                max_tiles=image["max_num"],
                scale=image["scale"],
            )
            for mode in (MultiInstance.SHARED_PREFIX, MultiInstance.SINGLE)
        }
        context = recognizers[MultiInstance.SINGLE].context
        yield from _compare_regions(fixture, image, query, context)
        for mode, recognizer in recognizers.items():
            yield from _compare_answers(fixture, image, query, recognizer, mode)
        for multi in image["multi"]:
            yield from _compare_cascade(fixture, attention, image, multi, query, context)


def _compare_answers(
    fixture: Fixture,
    image: Case,
    query: RegionQuery,
    recognizer: WowSegRecognizer,
    mode: MultiInstance,
) -> Iterator[Comparison]:
    """First logits and greedy answers of every region."""
    logits = recognizer.first_token_logits(query)
    new_tokens = len(image["masks"][0]["greedy_ids"])
    answers = recognizer.recognize([query], Generation(new_tokens, forced_tokens=new_tokens))[0]
    for i, mask in enumerate(image["masks"]):
        case = f"{image['id']}/{i} {mode.value}"
        wanted = fixture.tensor(f"{image['id']}/{i}/first_logits")
        yield compare_close("first logits", case, logits[i], wanted, TOLERANCE)
        yield compare_equal("answer tokens", case, answers[i].token_ids, mask["greedy_ids"])
        yield compare_equal("answer text", case, answers[i].text, mask["response"])


def _compare_regions(
    fixture: Fixture, image: Case, query: RegionQuery, context: ModelContext
) -> Iterator[Comparison]:
    """Pixels, crops, features and prompts of the single-mask setting."""
    name = image["id"]
    seen = _encode(image, range(len(image["masks"])), query, context)
    sample = _sample(seen.tiled.tiles)
    yield compare_close(
        "pixels", name, sample, fixture.tensor(f"{name}/pixel_sample"), PIXEL_TOLERANCE
    )
    tokens, hidden = context.model.config.tokens_per_tile, seen.tiles.shape[-1]
    features = seen.tiles.reshape(-1, tokens, hidden)[:, ::TOKEN_STEP]
    wanted = fixture.tensor(f"{name}/tile_embeds_sample")
    yield compare_close("image features", name, features, wanted, TOLERANCE)
    for i, (crop, region) in enumerate(zip(seen.crops, seen.regions, strict=True)):
        case = f"{name}/{i}"
        yield compare_equal("crop boxes", case, crop.box, image["masks"][i]["crop_box"])
        yield compare_close(
            "pixels",
            case,
            _sample(crop.pixels[None])[0],
            fixture.tensor(f"{case}/crop_pixel_sample"),
            PIXEL_TOLERANCE,
        )
        keep = torch.from_numpy(crop.keep)
        yield compare_close("token masks", case, keep, fixture.tensor(f"{case}/token_mask"), 0.0)
        yield compare_close(
            "region features", case, region, fixture.tensor(f"{case}/region_embeds"), TOLERANCE
        )
        ids = context.prompter.prompt(CATEGORY_PROMPT, len(seen.tiles), [len(region)]).input_ids
        yield compare_equal(
            "prompt tokens", case, ids, fixture.tensor(f"{case}/input_ids").tolist()
        )


def _compare_cascade(
    fixture: Fixture,
    attention: Attention,
    image: Case,
    multi: Case,
    query: RegionQuery,
    context: ModelContext,
) -> Iterator[Comparison]:
    """The multi-mask training sequence, teacher-forced under each stored attention mask."""
    case = f"{image['id']}/multi_{multi['name']}"
    prompter, separator = context.prompter, multi["separator_id"]
    seen = _encode(multi, multi["masks"], query, context)
    sequence = prompter.training(
        CATEGORY_PROMPT, len(seen.tiles), [len(r) for r in seen.regions], multi["answer"]
    )
    for found, name in ((sequence.input_ids, "input_ids"), (sequence.labels, "labels")):
        wanted = fixture.tensor(f"{case}/{name}").tolist()
        yield compare_equal("training tokens", case, found, wanted)
    segments = parse_segments(sequence.input_ids, prompter.tokens, separator)
    parts = [segments.image, *segments.regions, segments.infix, *segments.outputs]
    stored = multi["segments"]
    wanted = [stored["image"], *stored["regions"], stored["infix"], *stored["outputs"]]
    yield compare_equal("segments", case, parts, [tuple(span) for span in wanted])
    inputs = context.embed(sequence.input_ids, seen.tiles, *seen.regions)
    for variant, (logits_name, mask_name) in VARIANTS.items():
        if f"{case}/{logits_name}" not in fixture.expected:
            continue
        allowed = cascade_mask(sequence.input_ids, prompter.tokens, separator, variant)
        if mask_name is not None:
            mask = attention[f"{image['id']}__multi_{multi['name']}__{mask_name}"]
            yield compare_close(
                "attention", f"{case} {variant.value}", allowed, torch.from_numpy(mask), 0.0
            )
        with torch.inference_mode():
            rows = fixture.tensor(f"{case}/rows").long()
            logits = context.model(inputs[None], allowed[None])[0][rows]
        yield compare_close(
            "cascade logits",
            f"{case} {variant.value}",
            logits,
            fixture.tensor(f"{case}/{logits_name}"),
            TOLERANCE,
        )


@torch.inference_mode()
def _encode(
    layout: Case, masks: Sequence[int], query: RegionQuery, context: ModelContext
) -> Encoded:
    """Encode the query's picture with the regions ``masks``, cut as ``layout`` says."""
    config = context.model.config
    tiled = tile_image(query.image, layout["max_num"], config)
    crops = []
    for i in masks:
        crop = crop_region(tiled, decode_rle(query.masks[i]), config, layout["scale"])
        if crop is None:
            raise FixtureError(f"{query.region_ids[i]}: nothing of the mask is left after resizing")
        crops.append(crop)
    return Encoded(tiled, crops, *encode_pictures(context.model, tiled.tiles, crops))


def _sample(pictures: torch.Tensor) -> torch.Tensor:
    """Normalised pixels of a batch, as many as the fixture holds."""
    return normalise(pictures, torch.float32)[:, :, ::PIXEL_STEP, ::PIXEL_STEP]


def _query(fixture: Fixture, image: Case) -> RegionQuery:
    return RegionQuery(
        image_id=image["id"],
        image=fixture.picture(image["file"]),
        image_path=None,
        masks=[RLE(tuple(m["rle"]["size"]), m["rle"]["counts"]) for m in image["masks"]],
        boxes=None,
        region_ids=[f"{image['id']}/{i}" for i in range(len(image["masks"]))],
        task=Task.CATEGORY,
    )


def _read_attention(folder: Path) -> Attention:
    try:
        with np.load(folder / "attention.npz") as stored:
            return dict(stored)
    except (OSError, ValueError) as error:
        raise FixtureError(f"golden fixture {folder}: attention.npz: {error}") from error
