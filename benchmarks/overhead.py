"""What the harness costs a fast model: the whole engine around one that answers at once.

Generated pictures with eight regions each are asked as in a run: pictures are read and decoded,
masks kept, identities digested, answers stored in parts. Only the model is a stand-in that takes
a fixed time for a picture and computes nothing. Of the time that passes, the share that was left
to the model is printed, the engine's own speed (a model that takes no time), and the memory of
the process over the run.

    python -m benchmarks.overhead
    python -m benchmarks.overhead --images 200 --milliseconds 5
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from PIL import Image

from adapters.interface import (
    AdapterCard,
    Answer,
    FinishReason,
    Generation,
    RegionQuery,
    Task,
)
from bench.engine import Tally, predict
from bench.identity import Asker
from bench.part_writer import PartWriter
from bench.store import StoredRun
from benchmarks.measuring import hardware, progress
from suites.base import Suite
from suites.registry import entry

REGIONS = 8
LEFT_TO_THE_MODEL = 0.95
GROWTH_MIB = 64.0  # what the second half of the run may hold above the first
PATTERNS = 32
"""Different pictures drawn; the set repeats them, a different corner of each."""


class Sleeper:
    """Takes its time for every picture, then answers all regions with one word."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.card = AdapterCard(
            name="sleeper",
            revision=1,
            checkpoint="none",
            checkpoint_digest="0" * 64,
            parameters=0,
            dtype="float32",
            device="cpu",
            prompts={Task.CATEGORY: "?"},
        )

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Sleep, then answer."""
        time.sleep(self._seconds * len(queries))
        answer = Answer.generated("thing", (1,), FinishReason.STOP, prompt_tokens=1)
        return [[answer] * len(query.masks) for query in queries]


class Memory:
    """Resident memory of this process, in MiB, looked at four times a second."""

    def __enter__(self) -> Memory:
        self.samples: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._done.wait(0.25):
            self.samples.append(process.memory_info().rss / 2**20)

    def halves(self) -> tuple[float, float]:
        """The largest of the first and of the second half; 0 where the run was too short."""
        middle = len(self.samples) // 2
        first, second = self.samples[:middle], self.samples[middle:]
        return max(first, default=0.0), max(second, default=0.0)


class Measured(NamedTuple):
    """One run: seconds, and the largest MiB of its first and second half."""

    seconds: float
    first_half: float
    second_half: float


def draw(folder: Path, images: int) -> Path:
    """Draw photo-like 640x480 JPEG pictures and describe eight regions of each."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (PATTERNS, 24, 32, 3), dtype=np.uint8)
    grain = rng.integers(-12, 13, (480, 640, 3))
    listed = []
    for number in range(images):
        smooth = Image.fromarray(coarse[number % PATTERNS]).resize(
            (640, 480), Image.Resampling.BICUBIC
        )
        pixels = np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)
        pixels[0, 0] = [number % 256, number // 256 % 256, 0]
        name = f"{number:05d}.jpg"
        Image.fromarray(pixels).save(folder / name, quality=90)
        corners = [(40 + 150 * (i % 4), 60 + 200 * (i // 4)) for i in range(REGIONS)]
        regions = [
            {
                "label": "thing",
                "segmentation": [[x, y, x + 100, y, x + 100, y + 120, x + 7, y + 90]],
            }
            for x, y in corners
        ]
        listed.append({"file_name": name, "width": 640, "height": 480, "regions": regions})
    path = folder / "regions.json"
    path.write_text(json.dumps({"images": listed}))
    return path


def ask(suite: Suite, folder: Path, seconds: float) -> Measured:
    """Run the engine over the whole suite with a model that takes ``seconds`` a picture."""
    model = Sleeper(seconds)
    run = StoredRun.at(folder, "overhead", f"sleeper-{seconds:g}", "0" * 16)
    begin = time.perf_counter()
    with run.writing() as writer, PartWriter(writer) as store, Memory() as memory:
        predict(
            suite,
            model,
            Asker.of(model.card, Task.CATEGORY, suite.generation),
            store,
            images=len(suite),
            answered={},
            tally=Tally(),
            report=lambda tally: None,
        )
    elapsed = time.perf_counter() - begin
    stored = len(run.answers(("region_id",)))
    if stored != len(suite) * REGIONS:
        raise SystemExit(f"{stored} answers stored of {len(suite) * REGIONS}")
    return Measured(elapsed, *memory.halves())


def main() -> int:
    """Read the command line; 1 when too little is left to the model, or memory grows."""
    import torch

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--milliseconds", type=float, default=20.0, help="the model's, a picture")
    given = parser.parse_args()
    seconds = given.milliseconds / 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress(f"drawing {given.images:,} pictures")
        annotations = draw(folder, given.images)
        suite = entry("regions-json").load(cache=folder / "cache", annotations=str(annotations))
        progress("asking")
        alone = ask(suite, folder / "runs", 0.0)
        timed = ask(suite, folder / "runs", seconds)
    share = given.images * seconds / timed.seconds
    growth = timed.second_half - timed.first_half
    met = share >= LEFT_TO_THE_MODEL and growth <= GROWTH_MIB
    print(f"Command: `python -m benchmarks.overhead --images {given.images}`  ")
    print(f"Hardware: {hardware(torch.device('cpu'))}  ")
    print(f"Work: {given.images:,} JPEG pictures of 640x480, {REGIONS} regions each\n")
    print(
        f"- a model that takes no time: {alone.seconds:.1f} s, "
        f"{given.images / alone.seconds:.0f} pictures a second, "
        f"{1000 * alone.seconds / given.images:.1f} ms each\n"
        f"- a model that takes {given.milliseconds:g} ms a picture: {timed.seconds:.1f} s, of "
        f"which {share:.1%} was left to it (required: {LEFT_TO_THE_MODEL:.0%})\n"
        f"- memory of the process: {timed.first_half:.0f} MiB at most in the first half, "
        f"{timed.second_half:.0f} MiB in the second (allowed: {GROWTH_MIB:.0f} MiB more)\n"
        f"\n{'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
