"""Time the resizing that WOW-Seg and DAM do before their networks, by Pillow and on a device.

The regions of one 640x480 photo are cut out and resized both ways, in interleaved rounds: by Pillow
on one core of the host, and by :func:`adapters.resampling.resize_by_products` on the device, with
the pixels' way there included. Both must give the same bytes.

    python -m benchmarks.preprocessing                  # both on this machine's CPU
    python -m benchmarks.preprocessing --device cuda
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch

from adapters.dam.configuration import PRESETS as DAM_PRESETS
from adapters.dam.preprocessing import stretch, view_regions
from adapters.device import resolve_device
from adapters.interface import RegionQuery
from adapters.masks import BoolMask, decode_rle
from adapters.resampling import HOST, Resampler, resize_by_products
from adapters.wow_seg.configuration import WowSegConfig
from adapters.wow_seg.preprocessing import crop_region, tile_image
from adapters.wow_seg.settings import Settings
from benchmarks.measuring import Timing, hardware, medians, photo_with_regions, progress, timed

Pixels = list[torch.Tensor]


class Row(NamedTuple):
    """One line of the table: timings of the same work by Pillow and on the device."""

    work: str
    by_pillow: list[Timing]
    on_device: list[Timing]


def wow_seg(query: RegionQuery, masks: Sequence[BoolMask], resampler: Resampler) -> Pixels:
    """All tiles and crops of one picture at the published size."""
    config, chosen = WowSegConfig(), Settings()
    tiled = tile_image(query.image, chosen.max_tiles, config, resampler)
    crops = [crop_region(tiled, mask, config, chosen.scale) for mask in masks]
    return [tiled.tiles, *(crop.pixels for crop in crops if crop is not None)]


def dam(query: RegionQuery, masks: Sequence[BoolMask], resampler: Resampler) -> Pixels:
    """The stretched picture and all views of its regions at the published size."""
    size = DAM_PRESETS["dam-3b"].vision.image_size
    picture = stretch(query.image, size, resampler)
    views = view_regions(picture, masks)
    return [picture.stretched, *(pixels for view in views for pixels in view[:3])]


WORK: dict[str, Callable[[RegionQuery, Sequence[BoolMask], Resampler], Pixels]] = {
    "WOW-Seg, tiles and crops": wow_seg,
    "DAM, full masks and focal crops": dam,
}


def measure(device: torch.device, regions: int, rounds: int) -> list[Row]:
    """Time both ways on the same regions, after a round that warms them up.

    Raises:
        ValueError: the ways differ in their bytes.
    """
    there = Resampler(device, resize_by_products)
    query = photo_with_regions(regions)
    masks = [decode_rle(mask) for mask in query.masks]
    rows = [Row(work, [], []) for work in WORK]
    for round_number in range(rounds + 1):
        for row in rows:
            prepare = partial(WORK[row.work], query, masks)
            on_host, wanted = timed(partial(prepare, HOST), HOST.device)
            on_device, found = timed(partial(prepare, there), device)
            if round_number:
                row.by_pillow.append(on_host)
                row.on_device.append(on_device)
                progress(f"round {round_number}, {row.work}: {on_host.clock}, {on_device.clock}")
            elif not all(torch.equal(a, b.cpu()) for a, b in zip(wanted, found, strict=True)):
                raise ValueError(f"{row.work}: not the bytes of Pillow")
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| work | Pillow, ms, median (range) | device, ms, median (range) | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        ratio = medians(row.by_pillow).clock / medians(row.on_device).clock
        lines.append(
            f"| {row.work} | {_milliseconds(row.by_pillow)} | {_milliseconds(row.on_device)} "
            f"| {ratio:.1f}x |"
        )
    return "\n".join(lines)


def _milliseconds(timings: Sequence[Timing]) -> str:
    clocks = [1000 * timing.clock for timing in timings]
    return f"{1000 * medians(timings).clock:.1f} ({min(clocks):.1f}–{max(clocks):.1f})"


def main() -> int:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--regions", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    device = resolve_device(given.device)
    torch.set_num_threads(1)  # what is left to PyTorch on the host takes one core, as Pillow does
    rows = measure(device, given.regions, given.rounds)
    command = shlex.join(["python", "-m", "benchmarks.preprocessing", *sys.argv[1:]])
    print(f"Command: `{command}`  ")
    print(f"Hardware: Pillow on {hardware(HOST.device)}; device: {hardware(device)}  ")
    print(
        f"Work: {given.regions} regions of a 640x480 photo, {given.rounds} interleaved rounds; "
        "the bytes are the same\n"
    )
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
