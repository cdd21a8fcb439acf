"""Time many regions of one picture asked together against the same regions asked one by one.

Both ways answer the same regions of a 640x480 photo, at mid-size with random weights, in
interleaved rounds. One by one is the way of the authors' scripts: every region is a call of its
own, with everything encoded anew. Beside each speed-up stands its bound, the one that the
floating-point operations allow: those of one by one over those of together, counted in a pass of
its own. It can be surpassed, since together reads every weight once for all regions.

    python -m benchmarks.adapters                      # all adapters, this machine's CPU
    python -m benchmarks.adapters --adapter dam pam    # some of them
    python -m benchmarks.adapters --device cuda --dtype bfloat16 --preset dam-3b --adapter dam
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

if __name__ == "adapters":
    raise ImportError("start benchmarks from the project's folder: python -m benchmarks.adapters")

import adapters
from adapters import costs
from adapters.device import resolve_device
from adapters.interface import Answer, Generation, RegionQuery, RegionRecognizer, Task
from benchmarks.measuring import Timing, hardware, medians, photo_with_regions, progress, timed


class Target(NamedTuple):
    """What is asked, and what asking together must reach at the most regions.

    ``tokens`` is the length that every answer is forced to: names are short, descriptions are
    not. ``of_bound`` is the least share of the bound.
    """

    task: Task
    tokens: int
    speed_up: float
    of_bound: float


TARGETS = {
    "wow-seg": Target(Task.CATEGORY, tokens=8, speed_up=8.0, of_bound=0.0),
    "osprey": Target(Task.CATEGORY, tokens=8, speed_up=8.0, of_bound=0.0),
    "pam": Target(Task.DESCRIPTION, tokens=32, speed_up=2.0, of_bound=0.8),
    "dam": Target(Task.DESCRIPTION, tokens=32, speed_up=2.0, of_bound=0.8),
}


class Row(NamedTuple):
    """One line of the table: medians, the FLOPs of both ways, and how many answers are equal."""

    adapter: str
    regions: int
    alone: Timing
    together: Timing
    flops_alone: int
    flops_together: int
    equal: float

    @property
    def speed_up(self) -> float:
        """How many times as fast together is, by the clock."""
        return self.alone.clock / self.together.clock

    @property
    def bound(self) -> float:
        """How many times fewer operations together takes."""
        return self.flops_alone / self.flops_together

    def met(self, target: Target) -> bool:
        """Whether it is as fast as it must be."""
        return self.speed_up >= max(target.speed_up, target.of_bound * self.bound)


def alone(model: RegionRecognizer, query: RegionQuery, generation: Generation) -> list[Answer]:
    """Every region a call of its own."""
    answers = []
    for index, mask in enumerate(query.masks):
        one = replace(query, masks=[mask], region_ids=[query.region_ids[index]])
        answers += model.recognize([one], generation)[0]
    return answers


def together(model: RegionRecognizer, query: RegionQuery, generation: Generation) -> list[Answer]:
    """All regions in one call."""
    return model.recognize([query], generation)[0]


WAYS = {"alone": alone, "together": together}


def count_flops(
    model: RegionRecognizer, query: RegionQuery, generation: Generation, way: str
) -> int:
    """Floating-point operations of one run."""
    return costs.count_flops(lambda: WAYS[way](model, query, generation)).flops


def measure(
    name: str, model: RegionRecognizer, regions: Sequence[int], tokens: int, rounds: int
) -> list[Row]:
    """Both ways on each number of regions."""
    device = torch.device(model.card.device)
    generation = Generation(tokens, forced_tokens=tokens)
    task = TARGETS[name].task
    queries = {count: replace(photo_with_regions(count), task=task) for count in regions}
    together(model, queries[min(regions)], Generation(2, forced_tokens=2))
    timings: dict[tuple[int, str], list[Timing]] = {}
    answers: dict[tuple[int, str], list[Answer]] = {}
    for number in range(rounds):
        for count, query in queries.items():
            for way, ask in WAYS.items():
                timing, found = timed(partial(ask, model, query, generation), device)
                timings.setdefault((count, way), []).append(timing)
                answers[count, way] = found
                progress(f"{name}, round {number + 1}, {count} regions {way}: {timing}")
    rows = []
    for count, query in queries.items():
        flops = {way: count_flops(model, query, generation, way) for way in WAYS}
        pairs = zip(answers[count, "alone"], answers[count, "together"], strict=True)
        rows.append(
            Row(
                adapter=name,
                regions=count,
                alone=medians(timings[count, "alone"]),
                together=medians(timings[count, "together"]),
                flops_alone=flops["alone"],
                flops_together=flops["together"],
                equal=statistics.mean(a.token_ids == b.token_ids for a, b in pairs),
            )
        )
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| adapter | regions | one by one, s | together, s | speed-up | processor seconds "
        "| GFLOPs | bound | of bound | equal answers |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        processor = row.alone.processor / row.together.processor
        lines.append(
            f"| {row.adapter} | {row.regions} | {row.alone.clock:.2f} "
            f"| {row.together.clock:.2f} | {row.speed_up:.1f}x | {processor:.1f}x "
            f"| {row.flops_alone / 1e9:,.0f} / {row.flops_together / 1e9:,.0f} "
            f"| {row.bound:.1f}x | {row.speed_up / row.bound:.2f} | {row.equal:.0%} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Read the command line; 1 when an adapter misses its mark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--adapter", nargs="+", choices=sorted(TARGETS), default=list(TARGETS))
    parser.add_argument("--preset", default="mid")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--regions", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--tokens", type=int, help="new tokens of every answer")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    device = resolve_device(given.device)
    rows: list[Row] = []
    told = []
    for name in given.adapter:
        model = adapters.load(name, preset=given.preset, device=given.device, dtype=given.dtype)
        tokens = given.tokens or TARGETS[name].tokens
        rows += measure(name, model, given.regions, tokens, given.rounds)
        told.append(f"{name} {model.card.parameters / 1e6:.1f} M, {tokens} tokens an answer")
    most = [row for row in rows if row.regions == max(given.regions)]
    missed = [row for row in most if not row.met(TARGETS[row.adapter])]
    print(f"Command: `python -m benchmarks.adapters {shlex.join(sys.argv[1:])}`  ")
    print(f"Hardware: {hardware(device)}  ")
    print(f"Parameters, random: {'; '.join(told)}  ")
    print(f"Work: regions of a 640x480 photo, {given.rounds} interleaved rounds, medians\n")
    print(table(rows) + "\n")
    for row in most:
        target = TARGETS[row.adapter]
        verdict = "missed" if row in missed else "met"
        print(
            f"{row.adapter}: {row.speed_up:.1f}x at {row.regions} regions; required "
            f"{target.speed_up:g}x"
            + (f" and {target.of_bound:g} of the bound" if target.of_bound else "")
            + f": {verdict}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
