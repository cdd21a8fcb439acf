"""The golden fixture through the adapter: every stage against the official code's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from adapters.branches import Branches, decode_branches
from adapters.conformance import Comparison, Fixture, compare_close, compare_equal, compare_rounded
from adapters.decoding import Stopping
from adapters.interface import RLE, Generation, RegionQuery, Task
from adapters.masks import decode_rle
from adapters.osprey.adapter import OspreyRecognizer, load
from adapters.osprey.modeling import EncodedImage, OspreyModel
from adapters.osprey.preprocessing import RegionGrids, process_image, sample_mask
from adapters.osprey.prompting import SYSTEM_MESSAGE
from adapters.osprey.squares import load_square

PIXEL_TOLERANCE = 1e-5
TOLERANCE = 1e-4
LEVELS = ("res2", "res3", "res4", "res5")
TASKS = {
    "lvis_paco": Task.CATEGORY,
    "open_vocab": Task.PHRASE,
    "demo_detailed": Task.DESCRIPTION,
}
# The cells of each feature map that the fixture holds, and which of the picture's tokens.
STORED_CELLS = {
    "stem": (slice(1, None, 8), slice(2, None, 8)),
    "res2": (slice(1, None, 8), slice(2, None, 8)),
    "res3": (slice(1, None, 4), slice(2, None, 4)),
    "res4": (slice(None, None, 2), slice(1, None, 2)),
    "res5": (slice(None), slice(None)),
}
TOKEN_STEP = 16
STORED_CROP = (slice(None), slice(200, 232), slice(300, 332))

Case = Mapping[str, Any]


class Seen(NamedTuple):
    """A picture with all its masks, as the network sees it.

    ``processed`` are its pixels before they are stretched; ``stem`` ``[width, 128, 128]``;
    ``pooled`` ``[masks, width]`` for each feature map; ``regions`` ``[masks, 2, hidden]``.
    """

    processed: torch.Tensor
    pixels: torch.Tensor
    stem: torch.Tensor
    encoded: EncodedImage
    grids: RegionGrids
    pooled: list[torch.Tensor]
    regions: torch.Tensor


def certify(folder: Path) -> Iterator[Comparison]:
    """Compare tokens, pixels, features, regions, logits and answers, in float32 on the CPU.

    In bfloat16, first tokens are compared with those of float32.

    Raises:
        FixtureError: a file or number is missing.
        CheckpointError: the fixture's checkpoint cannot be loaded.
    """
    fixture = Fixture.read(folder)
    recognizer = load(fixture.checkpoint, device="cpu", dtype="float32")
    rounded = load(fixture.checkpoint, device="cpu", dtype="bfloat16")
    yield from _compare_tokens(fixture, recognizer)
    for image in fixture.cases["images"]:
        masks = {m["id"]: _rle(m) for m in fixture.cases["masks"] if m["image"] == image["id"]}
        picture = Image.open(fixture.folder / image["file"])
        seen = _see(recognizer.model, picture, list(masks.values()))
        yield from _compare_picture(fixture, image, seen)
        yield from _compare_regions(fixture, list(masks), seen)
        runs = [run for run in fixture.cases["runs"] if run["image"] == image["id"]]
        for template, alike in _by_question(runs).items():
            query = _query(picture, [masks[run["mask_ids"][0]] for run in alike])
            yield from _compare_answers(fixture, alike, query, _asking(recognizer, template))
            yield from _compare_rounded(fixture, alike, query, _asking(rounded, template))
        for run in runs:
            regions = seen.regions[[list(masks).index(mask) for mask in run["mask_ids"]]]
            yield from _compare_assembled(fixture, run, seen.encoded, regions, recognizer)


def _compare_tokens(fixture: Fixture, recognizer: OspreyRecognizer) -> Iterator[Comparison]:
    """Prompts and their ids."""
    prompter = recognizer.prompter
    for check in fixture.cases["tokenizer_checks"]:
        ids = [prompter.tokenizer.bos_id, *prompter.tokenizer.encode(check["text"])]
        yield compare_equal("tokens", repr(check["text"]), ids, check["ids"])
    for run in fixture.cases["runs"]:
        template, task = _template(run), TASKS.get(run["prompt_kind"])
        if task is not None:
            yield compare_equal("prompt", run["id"], recognizer.card.prompts[task], template)
        ids = prompter.input_ids(template)
        yield compare_equal("prompt tokens", run["id"], ids, run["input_ids"])


def _compare_picture(fixture: Fixture, image: Case, seen: Seen) -> Iterator[Comparison]:
    """Pixels and features of the whole picture."""
    name, pixels = image["id"], seen.pixels
    size = list(seen.processed.shape[1:])
    yield compare_equal("size", name, size, image["processor_hw"])
    borders = [pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]]
    for stored, found in {
        "processor_out.mean": seen.processed.mean((1, 2)),
        "processor_out.std": seen.processed.std((1, 2), correction=0),
        "pixel_values.mean": pixels.mean((1, 2)),
        "pixel_values.std": pixels.std((1, 2), correction=0),
        "pixel_values.crop": pixels[STORED_CROP],
        "pixel_values.border": torch.stack(borders, dim=1),
    }.items():
        wanted = fixture.tensor(f"{name}.{stored}")
        yield compare_close("pixels", f"{name}.{stored}", found, wanted, PIXEL_TOLERANCE)
    maps = dict(zip(("stem", *LEVELS), (seen.stem, *seen.encoded.maps), strict=True))
    tokens = seen.encoded.tokens
    for stored, found in {
        **{level: maps[level][:, *cells] for level, cells in STORED_CELLS.items()},
        "image_embeds": tokens[::TOKEN_STEP],
        "image_embeds.mean": tokens.mean(0),
    }.items():
        wanted = fixture.tensor(f"{name}.{stored}")
        yield compare_close("image features", f"{name}.{stored}", found, wanted, TOLERANCE)


def _compare_regions(fixture: Fixture, masks: Sequence[str], seen: Seen) -> Iterator[Comparison]:
    """Masks on the grids, what is pooled under them, and both embeddings."""
    cases = {mask["id"]: mask for mask in fixture.cases["masks"]}
    for i, mask in enumerate(masks):
        cells = [int(level[i].sum()) for level in seen.grids.levels]
        yield compare_equal("mask cells", mask, cells, cases[mask]["pooled_cells_res2_3_4_5"])
        for stored, found in {
            **{f"pooled.{n}": p[i] for n, p in zip(LEVELS, seen.pooled, strict=True)},
            "mask_embed": seen.regions[i, 0],
            "pos_embed": seen.regions[i, 1],
        }.items():
            wanted = fixture.tensor(f"{mask}.{stored}")
            yield compare_close("region features", f"{mask}.{stored}", found, wanted, TOLERANCE)


def _compare_answers(
    fixture: Fixture, runs: Sequence[Case], query: RegionQuery, recognizer: OspreyRecognizer
) -> Iterator[Comparison]:
    """First logits and greedy answers of runs with the same question, asked together."""
    logits = recognizer.first_token_logits(query)
    new_tokens = fixture.cases["max_new_tokens"]
    answers = recognizer.recognize([query], Generation(new_tokens, forced_tokens=new_tokens))[0]
    for run, row, answer in zip(runs, logits, answers, strict=True):
        wanted = fixture.tensor(f"{run['id']}.first_logits")
        yield compare_close("first logits", run["id"], row, wanted, TOLERANCE)
        yield compare_equal("answer tokens", run["id"], answer.token_ids, run["greedy_ids"])
        yield compare_equal("answer text", run["id"], answer.text, run["greedy_text"].strip())
        length = [answer.prompt_tokens]
        yield compare_equal("prompt length", run["id"], length, [run["expanded_length"]])


def _compare_rounded(
    fixture: Fixture, runs: Sequence[Case], query: RegionQuery, rounded: OspreyRecognizer
) -> Iterator[Comparison]:
    """First tokens in bfloat16, where float32 is clear about them."""
    for run, row in zip(runs, rounded.first_token_logits(query), strict=True):
        yield from compare_rounded(run["id"], row, fixture.tensor(f"{run['id']}.first_logits"))


@torch.inference_mode()
def _compare_assembled(
    fixture: Fixture,
    run: Case,
    image: EncodedImage,
    regions: torch.Tensor,
    recognizer: OspreyRecognizer,
) -> list[Comparison]:
    """One run's whole sequence, ``[L, hidden]``, and the answers of runs about several regions."""
    name, model = run["id"], recognizer.model
    before, stretches = recognizer.prompter.prompt(_template(run))
    parts = [model.embed(before), image.tokens, model.embed(stretches[0])]
    for region, stretch_after in zip(regions, stretches[1:], strict=True):
        parts += [region, model.embed(stretch_after)]
    sequence = torch.cat(parts)
    done = []
    if f"{name}.inputs_embeds" in fixture.expected:
        wanted = fixture.tensor(f"{name}.inputs_embeds")
        done.append(compare_close("sequence", name, sequence, wanted, TOLERANCE))
    if len(regions) > 1:
        branches = Branches(model.language_model, sequence[:-1])
        wanted = fixture.tensor(f"{name}.first_logits")
        logits = branches.start([sequence[-1:]])[0]
        done.append(compare_close("first logits", name, logits, wanted, TOLERANCE))
        stopping = Stopping(frozenset(), fixture.cases["max_new_tokens"])
        (answer,) = decode_branches(branches, [sequence[-1:]], stopping)
        done.append(compare_equal("answer tokens", name, answer.token_ids, run["greedy_ids"]))
    return done


@torch.inference_mode()
def _see(model: OspreyModel, picture: Image.Image, masks: Sequence[RLE]) -> Seen:
    processed = process_image(picture)
    pixels = load_square(picture)
    encoded = model.encode_image(pixels)
    grids = RegionGrids.stack([sample_mask(decode_rle(mask)) for mask in masks])
    return Seen(
        processed,
        pixels,
        model.vision_tower.embeddings(pixels[None])[0],
        encoded,
        grids,
        model.mask_extractor.pool(encoded.maps, grids),
        model.encode_regions(encoded, grids),
    )


def _asking(recognizer: OspreyRecognizer, template: str) -> OspreyRecognizer:
    """The same model with another question for a category."""
    card = replace(recognizer.card, prompts={Task.CATEGORY: template})
    return OspreyRecognizer(recognizer.model, recognizer.prompter, card)


def _by_question(runs: Sequence[Case]) -> dict[str, list[Case]]:
    """Runs about a single region, by their question."""
    found: dict[str, list[Case]] = {}
    for run in runs:
        if len(run["mask_ids"]) == 1:
            found.setdefault(_template(run), []).append(run)
    return found


def _template(run: Case) -> str:
    """The question in a run's prompt."""
    prompt: str = run["prompt"]
    return prompt.removeprefix(f"{SYSTEM_MESSAGE} USER: ").removesuffix(" ASSISTANT:")


def _rle(mask: Case) -> RLE:
    height, width = mask["segmentation"]["size"]
    return RLE((height, width), mask["segmentation"]["counts"])


def _query(picture: Image.Image, masks: Sequence[RLE]) -> RegionQuery:
    ids = [f"region {i}" for i in range(len(masks))]
    return RegionQuery("fixture", picture, None, masks, None, ids, Task.CATEGORY)
