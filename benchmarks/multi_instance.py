"""Time WOW-Seg's multi-instance modes on the same regions of one picture.

Every mode answers the same regions of a 640x480 photo with random weights; rounds are interleaved,
so that a busy moment of the machine meets all modes. ``single, tiles cached`` is ``single`` with
the picture's tiles encoded once and only the crop and the prompt anew, to show what caching the
picture alone would give. Peak memory is taken in a process of its own for each mode: on a CPU the
process's high-water mark, on an accelerator what its allocator handed out.

    python -m benchmarks.multi_instance                     # mid-size, this machine's CPU
    python -m benchmarks.multi_instance --quick             # a tiny network, one minute
    python -m benchmarks.multi_instance --device cuda --dtype bfloat16 --preset internvl3-1b
"""

from __future__ import annotations

import argparse
import resource
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from adapters.checkpoint import parameter_count
from adapters.device import dtype_name, resolve_device, resolve_dtype
from adapters.interface import Answer, Generation, RegionQuery
from adapters.language import LanguageConfig
from adapters.wow_seg.cascade import CascadeMode
from adapters.wow_seg.checkpoint import random_model
from adapters.wow_seg.configuration import PRESETS, VisionConfig, WowSegConfig
from adapters.wow_seg.context import ModelContext
from adapters.wow_seg.encoding import encode_pictures
from adapters.wow_seg.preprocessing import RegionCrop, choose_grid
from adapters.wow_seg.prompting import CATEGORY_PROMPT, Prompter
from adapters.wow_seg.settings import Settings
from adapters.wow_seg.shared_prefix import SharedPrefixMode
from adapters.wow_seg.single import SingleMode, answer_alone
from benchmarks.measuring import Timing, hardware, medians, photo_with_regions, progress, timed

SIZES = {
    **PRESETS,
    "tiny": WowSegConfig(
        vision=VisionConfig(64, 2, 2, 128),
        language=LanguageConfig(1024, 64, 2, 2, 1, 128),
    ),
}
MODES = ("single", "single, tiles cached", "shared-prefix", "cascade")
FASTER, MEMORY = 8.0, 2.0  # what shared-prefix must reach at the most tiles


class Row(NamedTuple):
    """One line of the table; ``tiles`` is how the picture was cut."""

    tiles: str
    mode: str
    timings: list[Timing]
    peak: float | None


def photo(regions: int, max_tiles: int) -> RegionQuery:
    """A 640x480 photo with regions; larger where four tiles need it.

    Four tiles fit a 4:3 picture only when it has more than half their pixels.
    """
    return photo_with_regions(regions, (800, 600) if max_tiles == 4 else (640, 480))


def single_with_cached_tiles(
    context: ModelContext, query: RegionQuery, generation: Generation
) -> list[Answer]:
    """``single``, but the picture is tiled and encoded once."""
    tiled = context.tile(query)
    tiles, _ = encode_pictures(context.model, tiled.tiles, [])
    answers = []
    for index in range(len(query.masks)):
        crop = context.crop(tiled, query, index)
        if isinstance(crop, RegionCrop):
            _, (region,) = encode_pictures(context.model, tiled.tiles[:0], [crop])
            crop = answer_alone(context, CATEGORY_PROMPT, tiles, region, generation)
        answers.append(crop)
    return answers


Run = Callable[[], list[Answer]]


def runs(context: ModelContext, query: RegionQuery, generation: Generation) -> dict[str, Run]:
    """Each mode as a call that answers all regions."""
    cascade = CascadeMode(context, context.prompter.encode(",")[0])
    single, shared = SingleMode(context), SharedPrefixMode(context)
    return {
        "single": lambda: single.recognize(query, CATEGORY_PROMPT, generation),
        "single, tiles cached": lambda: single_with_cached_tiles(context, query, generation),
        "shared-prefix": lambda: shared.recognize(query, CATEGORY_PROMPT, generation),
        "cascade": lambda: cascade.recognize(query, CATEGORY_PROMPT, generation),
    }


def peak_megabytes(device: torch.device) -> float:
    """Most memory this process has held."""
    if device.type == "cpu":
        # Not getrusage, whose maximum a child process inherits from its parent.
        status = Path("/proc/self/status")
        if status.exists():
            line = next(li for li in status.read_text().splitlines() if li.startswith("VmHWM"))
            return int(line.split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return torch.accelerator.max_memory_allocated(device) / 2**20


class Setup(NamedTuple):
    """What the command line asks for."""

    preset: str
    device: torch.device
    dtype: torch.dtype
    regions: int
    tokens: int
    rounds: int
    tiles: list[int]

    def context(self, max_tiles: int) -> ModelContext:
        """The network with random weights, cutting pictures into at most ``max_tiles`` tiles."""
        model = random_model(SIZES[self.preset], 0, self.device, self.dtype)
        prompter = Prompter.standing_in(model.config.language.vocab_size)
        return ModelContext(model, prompter, Settings(max_tiles=max_tiles))

    def generation(self) -> Generation:
        """Every answer is exactly as long."""
        return Generation(self.tokens, forced_tokens=self.tokens)

    def arguments(self) -> list[str]:
        """The same, as a child process needs it."""
        return [
            *("--preset", self.preset, "--device", str(self.device)),
            *("--dtype", dtype_name(self.dtype), "--regions", str(self.regions)),
            *("--tokens", str(self.tokens)),
        ]


def measure_times(setup: Setup) -> tuple[dict[tuple[int, str], list[Timing]], dict[int, float]]:
    """Timings by tile limit and mode, and the share of answers shared-prefix gives like single."""
    timings: dict[tuple[int, str], list[Timing]] = {}
    equal: dict[int, float] = {}
    context = setup.context(1)
    warm_up = runs(context, photo_with_regions(2), Generation(2))["shared-prefix"]
    timed(warm_up, setup.device)
    for round_number in range(setup.rounds):
        for tiles in setup.tiles:
            context = ModelContext(context.model, context.prompter, Settings(max_tiles=tiles))
            query = photo(setup.regions, tiles)
            answers = {}
            for mode, run in runs(context, query, setup.generation()).items():
                timing, answers[mode] = timed(run, setup.device)
                timings.setdefault((tiles, mode), []).append(timing)
                progress(f"round {round_number + 1}, {tiles} tiles, {mode}: {timing}")
            pairs = zip(answers["single"], answers["shared-prefix"], strict=True)
            equal[tiles] = statistics.mean(a == b for a, b in pairs)
    return timings, equal


def tiling(max_tiles: int) -> str:
    """How the photo is cut, such as ``12+1``: tiles and thumbnail."""
    columns, rows = choose_grid(*photo(0, max_tiles).image.size, max_tiles, 448)
    return "1" if columns * rows == 1 else f"{columns * rows}+1"


def measure_peak(setup: Setup, mode: str, tiles: int) -> float:
    """Peak megabytes of one run of ``mode`` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.multi_instance", *setup.arguments()]
    command += ["--tiles", str(tiles), "--peak-of", mode]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    progress(f"peak of {mode}: {finished.stdout.strip()} MB")
    return float(finished.stdout)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table; speed-ups are against ``single`` at the same tiles."""
    lines = [
        "| tiles | mode | seconds, median (range) | speed-up | processor seconds | speed-up "
        "| peak memory, MB |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    single = {row.tiles: medians(row.timings) for row in rows if row.mode == "single"}
    for row in rows:
        median, reference = medians(row.timings), single[row.tiles]
        clocks = [timing.clock for timing in row.timings]
        peak = "" if row.peak is None else f"{row.peak:,.0f}"
        lines.append(
            f"| {row.tiles} | {row.mode} "
            f"| {median.clock:.1f} ({min(clocks):.1f}–{max(clocks):.1f}) "
            f"| {reference.clock / median.clock:.1f}x | {median.processor:.1f} "
            f"| {reference.processor / median.processor:.1f}x | {peak} |"
        )
    return "\n".join(lines)


def report(setup: Setup) -> bool:
    """Measure and print everything; whether shared-prefix is as fast and small as it must be."""
    timings, equal = measure_times(setup)
    most = max(setup.tiles)
    labels = {tiles: tiling(tiles) for tiles in setup.tiles}
    peaks = {mode: measure_peak(setup, mode, most) for mode in MODES}
    rows = [
        Row(labels[tiles], mode, timings[tiles, mode], peaks[mode] if tiles == most else None)
        for tiles in setup.tiles
        for mode in MODES
    ]
    context = setup.context(most)
    query = photo(setup.regions, most)
    tiled = context.tile(query)
    crops = [context.crop(tiled, query, i) for i in range(setup.regions)]
    kept = statistics.mean(int(crop.keep.sum()) for crop in crops if isinstance(crop, RegionCrop))
    print(f"Command: `python -m benchmarks.multi_instance {shlex.join(sys.argv[1:])}`  ")
    print(f"Hardware: {hardware(setup.device)}  ")
    print(
        f"Network: {setup.preset}, {parameter_count(context.model.parameters()) / 1e6:.1f} M "
        f"parameters, {dtype_name(setup.dtype)}, random weights  "
    )
    print(
        f"Work: {setup.regions} regions of a 640x480 photo, {kept:.0f} tokens a region on average, "
        f"{setup.tokens} new tokens each, {setup.rounds} interleaved rounds "
        f"(4+1 tiles: the same at 800x600)\n"
    )
    print(table(rows) + "\n")
    single, shared = (medians(timings[most, mode]) for mode in ("single", "shared-prefix"))
    faster = single.clock / shared.clock
    larger = peaks["shared-prefix"] / peaks["single"]
    same = ", ".join(f"{share:.0%} at {tiles} tiles" for tiles, share in equal.items())
    print(
        f"At most {most} tiles, shared-prefix is {faster:.1f} times as fast as single "
        f"({single.processor / shared.processor:.1f} times in processor seconds; required: "
        f"{FASTER:g}) and takes {larger:.2f} times its memory (allowed: {MEMORY:g}).\n"
        f"Answers of shared-prefix equal to single's: {same}."
    )
    return faster >= FASTER and larger <= MEMORY


def main() -> int:
    """Read the command line; 1 when shared-prefix misses its mark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", choices=sorted(SIZES), default="mid")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--regions", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=8, help="new tokens of every answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiles", type=int, nargs="+", default=[12, 6, 4, 1])
    parser.add_argument("--quick", action="store_true", help="the tiny network, one round")
    parser.add_argument("--peak-of", choices=MODES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    device = resolve_device(given.device)
    setup = Setup(
        preset="tiny" if given.quick else given.preset,
        device=device,
        dtype=resolve_dtype(given.dtype, device),
        regions=given.regions,
        tokens=given.tokens,
        rounds=1 if given.quick else given.rounds,
        tiles=given.tiles,
    )
    if given.peak_of:
        query = photo(setup.regions, setup.tiles[0])
        context = setup.context(setup.tiles[0])
        timed(runs(context, query, setup.generation())[given.peak_of], device)
        print(peak_megabytes(device))
        return 0
    return 0 if report(setup) else 1


if __name__ == "__main__":
    sys.exit(main())
