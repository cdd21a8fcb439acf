"""The checkpoints that ship with the project really read masks, on scenes held out of training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import adapters
from adapters.interface import Generation, RegionRecognizer
from adapters.wow_seg import ENTRY
from metrics.semantic import semantic_ious
from tools.evaluate_tiny import Masks, as_drawn, boxed, question, shuffled

NAMES = ("mm-cascade", "mm-causal", "sm")
SCENES = 24
UP_TO_TEN = Generation(max_new_tokens=10)


@cache
def recognizer(name: str, mode: str) -> RegionRecognizer:
    return adapters.load("wow-seg", f"bundled:{name}", device="cpu", multi_instance=mode)


@cache
def answers(name: str, mode: str, change: Callable[[Masks], Masks]) -> tuple[str, ...]:
    queries = [question(index, change)[0] for index in range(SCENES)]
    replies = recognizer(name, mode).recognize(queries, UP_TO_TEN)
    return tuple(answer.text for reply in replies for answer in reply)


@cache
def references() -> Sequence[str]:
    return [name for index in range(SCENES) for name in question(index, as_drawn)[1]]


def iou(name: str, mode: str, change: Callable[[Masks], Masks] = as_drawn) -> float:
    return float(semantic_ious(answers(name, mode, change), references()).mean())


@pytest.mark.parametrize("mode", ["shared-prefix", "single"])
def test_the_cascade_checkpoint_names_held_out_regions(mode: str) -> None:
    assert iou("mm-cascade", mode) >= 0.90


def test_with_the_masks_shuffled_within_an_image_the_names_are_wrong() -> None:
    assert iou("mm-cascade", "shared-prefix", shuffled) <= 0.3


def test_with_every_mask_replaced_by_its_box_much_is_lost() -> None:
    drawn = iou("mm-cascade", "shared-prefix")

    assert drawn - iou("mm-cascade", "shared-prefix", boxed) >= 0.15


@pytest.mark.parametrize("name", ["mm-causal", "sm"])
def test_its_two_rivals_name_regions_too(name: str) -> None:
    assert iou(name, "shared-prefix") >= 0.80


def test_a_region_is_named_alike_whatever_else_is_asked() -> None:
    asked, _ = question(0, as_drawn)
    alone = [
        replace(asked, masks=[mask], region_ids=[name])
        for mask, name in zip(asked.masks, asked.region_ids, strict=True)
    ]
    model = recognizer("mm-cascade", "shared-prefix")

    together = model.recognize([asked], UP_TO_TEN)[0]
    assert together == [reply for (reply,) in model.recognize(alone, UP_TO_TEN)]


def test_all_bundled_checkpoints_together_are_small() -> None:
    files = [path for name in NAMES for path in ENTRY.bundled[name].rglob("*") if path.is_file()]

    assert set(ENTRY.bundled) == set(NAMES)
    assert sum(path.stat().st_size for path in files) <= 8_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_checkpoint_has_the_published_layout(name: str) -> None:
    folder = ENTRY.bundled[name]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokens = json.loads((folder / "added_tokens.json").read_text(encoding="utf-8"))
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))

    assert config["architectures"] == ["InternVLChatModel"]
    assert {"model.safetensors", "merges.txt", "tokenizer_config.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert {"<img>", "</img>", "<IMG_CONTEXT>", "<|im_end|>"} <= set(tokens)
    assert (vocabulary["Ċ"], vocabulary[","], vocabulary["!"]) == (198, 11, 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_log_of_each_training_is_kept(name: str, repository: Path) -> None:
    path = repository / "docs" / "training" / f"{name}.jsonl"
    recipe, *progress = [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    assert recipe["variant"] == name
    assert progress[-1]["step"] == recipe["steps"]


def test_the_three_were_trained_under_one_budget(repository: Path) -> None:
    logs = [(repository / "docs" / "training" / f"{n}.jsonl").read_text("utf-8") for n in NAMES]
    recipes = [json.loads(log.splitlines()[0]) for log in logs]
    ends = [json.loads(log.splitlines()[-1]) for log in logs]

    assert len({json.dumps({**recipe, "variant": ""}) for recipe in recipes}) == 1
    assert len({end["regions"] for end in ends}) == 1
