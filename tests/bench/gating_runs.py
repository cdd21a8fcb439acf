"""Runs for the gate, answered rightly or wrongly as one likes, and what it says of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.bench.fakes import NAMES, brightness
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]
IMAGES = 10


def regions(images: int = IMAGES) -> list[str]:
    """Region ids of the suite's first images, in its order."""
    return [f"{index:04d}/{number}" for index in range(images) for number in range(2 + index % 3)]


FEW = {"0003/1", "0007/0"}
MANY = set(regions()[::2])


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


@pytest.fixture
def baseline(bench: Bench, workplace: Path, capsys: Captured) -> Path:
    """A baseline of a model that is always right, on a machine that has no runs now."""
    answer(bench, workplace, ())
    assert bench("baseline", "update", "mine") == 0
    forget(workplace)
    capsys.readouterr()
    return workplace / "baseline.json"


def gate(bench: Bench, capsys: Captured, *words: object) -> tuple[int, Any]:
    """The gate's exit code and JSON output."""
    capsys.readouterr()
    code = bench("gate", "--json", *words)
    return code, json.loads(capsys.readouterr().out)


def configured(workplace: Path, text: str) -> None:
    """Give the workplace's bench.yaml a gate."""
    path = workplace / "bench.yaml"
    path.write_text(f"{path.read_text()}gate: {text}\n")


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
