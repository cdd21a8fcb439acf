"""Time decoding with captured steps against the same kernels launched one by one, on a CUDA GPU.

Three ways answer the same regions of the same pictures, with random weights, in interleaved
rounds. ``authors' loop`` is that of the authors' scripts: one region after the other, everything
encoded anew, every kernel launched by the host. ``launched`` asks all regions together, every
kernel launched by the host; ``captured`` is what the adapters do on such a device: every step of
the answers is a replayed graph. Every picture is another one, as in an evaluation.

    python -m benchmarks.captured_steps
    python -m benchmarks.captured_steps --models dam-3b --regions 1 8 32 --rounds 5
"""

from __future__ import annotations

import argparse
import copy
import shlex
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

import adapters
from adapters.dam.adapter import DamRecognizer
from adapters.device import resolve_device
from adapters.interface import Answer, RegionRecognizer, Task
from adapters.osprey.adapter import OspreyRecognizer
from adapters.pam.adapter import PamRecognizer
from adapters.wow_seg.adapter import WowSegRecognizer
from adapters.wow_seg.settings import MultiInstance
from bench.efficiency.asking import Question, ask
from bench.efficiency.records import Way
from bench.efficiency.scenes import Scene, draw_scene
from benchmarks.measuring import Timing, hardware, progress, timed

MODELS = {
    "internvl3-1b": "wow-seg",
    "osprey-7b": "osprey",
    "pam-1.5b": "pam",
    "pam-3b": "pam",
    "dam-3b": "dam",
}
TASKS = {"dam": Task.DESCRIPTION}
WAYS = ("authors' loop", "launched", "captured")
SIZE = (640, 480)


class Row(NamedTuple):
    """One line of the table: seconds of every query by way, and the share of equal answers."""

    model: str
    regions: int
    seconds: Mapping[str, list[float]]
    equal: float

    def median(self, way: str) -> float | None:
        """Of a way, where it was measured."""
        return statistics.median(self.seconds[way]) if self.seconds[way] else None


def launching(model: RegionRecognizer) -> RegionRecognizer:
    """The same network, its steps launched kernel by kernel."""
    if isinstance(model, WowSegRecognizer):
        return WowSegRecognizer(replace(model.context, stepper=None), model.card)
    assert isinstance(model, OspreyRecognizer | PamRecognizer | DamRecognizer)
    twin = copy.copy(model)
    twin.stepper = None
    return twin


def authors(model: RegionRecognizer) -> RegionRecognizer:
    """The same network as the authors' scripts run it."""
    if isinstance(model, WowSegRecognizer):
        settings = replace(model.context.settings, multi_instance=MultiInstance.SINGLE)
        return WowSegRecognizer(replace(model.context, settings=settings), model.card)
    return launching(model)


Run = Callable[[Scene], list[Answer]]


def runs(model: RegionRecognizer, task: Task, regions: int, tokens: int) -> dict[str, Run]:
    """Each way as a call that answers all regions of a picture."""
    recognizers = dict(zip(WAYS, (authors(model), launching(model), model), strict=True))

    def run(way: str, scene: Scene) -> list[Answer]:
        order: Way = "alone" if way == WAYS[0] else "together"
        question = Question(order, "forced", regions, tokens, task)
        return ask(recognizers[way], question, scene, question.generation)

    return {way: partial(run, way) for way in WAYS}


def measure(
    name: str, regions: Sequence[int], tokens: int, rounds: int, loops: int, device: torch.device
) -> list[Row]:
    """All ways on each number of regions; the authors' loop in the first ``loops`` rounds only."""
    adapter = MODELS[name]
    model = adapters.load(adapter, preset=name, device=str(device), dtype="bfloat16")
    task = TASKS.get(adapter, Task.CATEGORY)
    scenes = [draw_scene(number, max(regions), SIZE) for number in range(rounds + 1)]
    seconds = {(count, way): list[float]() for count in regions for way in WAYS}
    equal = {count: list[bool]() for count in regions}
    for number, scene in enumerate(scenes):
        for count in regions:
            found: dict[str, list[Answer]] = {}
            for way, run in runs(model, task, count, tokens).items():
                if way == WAYS[0] and number > loops:
                    continue
                if way == WAYS[0] and number == 0 and count > 1:
                    continue  # warmed up by one region
                timing: Timing
                timing, found[way] = timed(partial(run, scene), device)
                progress(f"{name}, round {number}, {count} regions, {way}: {timing.clock:.3f} s")
                if number:  # the first round warms up
                    seconds[count, way].append(timing.clock)
            pairs = zip(found["launched"], found["captured"], strict=True)
            equal[count] += [a.token_ids == b.token_ids for a, b in pairs]
    return [
        Row(name, count, {way: seconds[count, way] for way in WAYS}, statistics.mean(equal[count]))
        for count in regions
    ]


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table; ratios are of captured."""
    lines = [
        "| model | regions | authors' loop, s | launched, s | captured, s (range) | against loop "
        "| against launched | T(n) / T(1) | regions/s | equal answers |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    one = {row.model: row.median("captured") for row in rows if row.regions == 1}
    for row in rows:
        loop, launched, captured = (row.median(way) for way in WAYS)
        assert launched is not None
        assert captured is not None
        alone = "" if loop is None else f"{loop:.2f}"
        ratio = "" if loop is None else f"{loop / captured:.1f}x"
        first, spread = one.get(row.model), row.seconds["captured"]
        relative = f"{captured / first:.2f}" if first else ""
        lines.append(
            f"| {row.model} | {row.regions} | {alone} | {launched:.3f} "
            f"| {captured:.3f} ({min(spread):.3f}–{max(spread):.3f}) | {ratio} "
            f"| {launched / captured:.1f}x | {relative} "
            f"| {row.regions / captured:.0f} | {row.equal:.0%} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Read the command line; 1 where there is no CUDA device."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--regions", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--tokens", type=int, default=32, help="new tokens of every answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loops", type=int, default=1, help="rounds of the authors' loop")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: steps are captured on such a device only", file=sys.stderr)
        return 1
    device = resolve_device("cuda")
    rows: list[Row] = []
    for name in given.models:
        rows += measure(name, given.regions, given.tokens, given.rounds, given.loops, device)
        torch.cuda.empty_cache()
    print(f"Command: `python -m benchmarks.captured_steps {shlex.join(sys.argv[1:])}`  ")
    print(f"Hardware: {hardware(device)}  ")
    print(
        f"Work: regions of {SIZE[0]}x{SIZE[1]} pictures, {given.tokens} tokens an answer, "
        f"bfloat16, random weights, {given.rounds} interleaved rounds, medians\n"
    )
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
