"""What the adapters' benchmarks share: a photo with regions, clocks, the machine's name."""

from __future__ import annotations

import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw
from pycocotools import mask as coco

from adapters.interface import RLE, RegionQuery, Task

Result = TypeVar("Result")


class Timing(NamedTuple):
    """One run: seconds on the clock, and processor seconds of this process alone.

    The second is what other work on the machine cannot change; on an accelerator it says little.
    """

    clock: float
    processor: float


def photo_with_regions(regions: int, size: tuple[int, int] = (640, 480)) -> RegionQuery:
    """A photo with seeded ellipses of about the sizes that objects have.

    Args:
        regions: how many.
        size: width and height, of the aspect ratio 4:3; the regions grow with it.
    """
    width, height = size
    photo = skimage.data.coffee()
    image = Image.fromarray(photo).resize((width, height), Image.Resampling.LANCZOS)
    rng = np.random.default_rng(0)
    masks = []
    for _ in range(regions):
        canvas = Image.new("L", image.size)
        x, y = rng.uniform(0, 640), rng.uniform(0, 480)
        long = math.exp(rng.uniform(math.log(15), math.log(150)))
        short, angle = long * rng.uniform(0.25, 1), rng.uniform(0, math.pi)
        turns = np.linspace(0, 2 * math.pi, 60)
        across, along = long * np.cos(turns), short * np.sin(turns)
        outline = np.stack(
            [
                x + across * math.cos(angle) - along * math.sin(angle),
                y + across * math.sin(angle) + along * math.cos(angle),
            ],
            axis=1,
        )
        outline *= width / 640
        ImageDraw.Draw(canvas).polygon([tuple(point) for point in outline], fill=1)
        encoded = coco.encode(np.asfortranarray(np.asarray(canvas)))
        masks.append(RLE((height, width), encoded["counts"].decode()))
    ids = [str(i) for i in range(regions)]
    return RegionQuery("coffee", image, None, masks, None, ids, Task.CATEGORY)


@torch.inference_mode()
def timed(run: Callable[[], Result], device: torch.device) -> tuple[Timing, Result]:
    """Time and result of one run."""
    synchronize(device)
    clock, processor = time.perf_counter(), time.process_time()
    result = run()
    synchronize(device)
    return Timing(time.perf_counter() - clock, time.process_time() - processor), result


def synchronize(device: torch.device) -> None:
    """Wait for an accelerator; nothing on a CPU."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def medians(timings: Sequence[Timing]) -> Timing:
    """The median of each."""
    return Timing(
        statistics.median(t.clock for t in timings), statistics.median(t.processor for t in timings)
    )


def hardware(device: torch.device) -> str:
    """Processor or accelerator, and how much of it was used."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, PyTorch {torch.__version__}"
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else platform.processor()
    return (
        f"{name}, {os.cpu_count()} logical cores, {torch.get_num_threads()} threads, "
        f"PyTorch {torch.__version__}"
    )


def progress(line: str) -> None:
    """Tell what is going on, apart from the table."""
    print(line, file=sys.stderr, flush=True)
