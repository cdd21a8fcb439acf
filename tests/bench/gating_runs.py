"""Runs of any quality for the gate: answers to the fake suite, right or wrong as one likes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.bench.fakes import NAMES, brightness
from tests.bench.kinds import Bench

IMAGES = 10


def regions(images: int = IMAGES) -> list[str]:
    """Region ids of the suite's first images, in its order."""
    return [f"{index:04d}/{number}" for index in range(images) for number in range(2 + index % 3)]


def answer(
    bench: Bench, folder: Path, wrong: Collection[str], *words: str, model: str = "mine"
) -> int:
    """Answer every region, some of them wrongly, and score that as a run of ``model``."""
    rows = []
    for region in regions():
        index, number = (int(part) for part in region.split("/"))
        right = NAMES[brightness(index, number) % len(NAMES)]
        rows.append({"region_id": region, "text": "nonsense" if region in wrong else right})
    path = folder / "answers.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return bench("import", path, "--suite", "stripes", "--model", model, "--no-report", *words)


def forget(folder: Path) -> None:
    """A machine that has no runs yet."""
    shutil.rmtree(folder / "runs")


def bootstrap(before: Collection[str], after: Collection[str]) -> tuple[float, NDArray[np.float64]]:
    """Drop of the share of right answers, and its resamples, drawn one image after another."""
    ids = regions()
    images = sorted({region.split("/")[0] for region in ids})
    drops = {
        image: [(r in after) - (r in before) for r in ids if r.startswith(image)]
        for image in images
    }
    generator = np.random.default_rng(0)
    resampled = []
    for _ in range(1000):
        drawn = [images[i] for i in generator.integers(len(images), size=len(images))]
        flat = [drop for image in drawn for drop in drops[image]]
        resampled.append(sum(flat) / len(flat))
    every = [drop for image in images for drop in drops[image]]
    return sum(every) / len(every), np.array(resampled)
