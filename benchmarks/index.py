"""Build, reopen, read and check generated LVIS v1 data; print times and peak memory.

Every step runs in a process of its own, so that its peak is its own. For comparison the same
file is loaded by the `lvis` package, which only parses it.

    python -m benchmarks.index --images 20000 --regions 250000
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path
from typing import TextIO

import PIL.Image

LIMIT_MIB = 2048
CATEGORIES = 1203
WIDTH, HEIGHT = 640, 480
MEAN_POINTS = 34  # LVIS v0.5 val has 34 points a region
READS = 2000


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--regions", type=int, default=250_000)
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(measured(options.step, options.folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "lvis_v1_val.json"
        write_annotations(path, options.images, options.regions)
        write_pictures(folder, options.images)
        print(
            f"{options.images:,} images, {options.regions:,} polygons, "
            f"{path.stat().st_size / 2**20:,.0f} MiB of JSON"
        )
        print(f"{'step':<46}{'wall s':>10}{'CPU s':>10}{'peak MiB':>10}")
        peaks = {step: run_step(step, folder) for step in STEPS}
    if peaks["build"] > LIMIT_MIB:
        raise SystemExit(f"building took more than {LIMIT_MIB} MiB")


def run_step(step: str, folder: Path) -> float:
    """Run one step in a fresh process, print its row, and return its peak in MiB."""
    command = [sys.executable, "-m", "benchmarks.index", "--step", step, "--folder", str(folder)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(
        f"{TITLES[step]:<46}{result['seconds']:>10.4f}{result['cpu_seconds']:>10.2f}"
        f"{result['peak_mib']:>10,.0f}"
    )
    return float(result["peak_mib"])


def measured(step: str, folder: Path) -> dict[str, float]:
    """Wall and processor seconds of a step, imports apart, and the process's peak memory."""
    importlib.import_module("lvis" if step == "lvis" else "suites.lvis_files")
    cpu = time.process_time()
    seconds = STEPS[step](folder)
    return {
        "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def build(folder: Path) -> float:
    """Open the suite for the first time."""
    from suites.lvis_files import load

    begin = time.perf_counter()
    load(cache=folder / "cache", root=str(folder))
    return time.perf_counter() - begin


def read_images(folder: Path) -> float:
    """Seconds per image with all its regions, in random order."""
    from suites.lvis_files import load

    suite = load(cache=folder / "cache", root=str(folder))
    places = random.Random(0).choices(range(len(suite)), k=READS)
    begin = time.perf_counter()
    for place in places:
        suite.record(place)
    return (time.perf_counter() - begin) / READS


def read_references(folder: Path) -> float:
    """The table of every region's reference."""
    from suites.base import Selection
    from suites.lvis_files import load

    suite = load(cache=folder / "cache", root=str(folder))
    begin = time.perf_counter()
    suite.references(Selection())
    return time.perf_counter() - begin


def check_files(folder: Path) -> float:
    """Every mask, and every picture's header and end."""
    from suites.base import Level
    from suites.lvis_files import check

    begin = time.perf_counter()
    findings = check(root=str(folder))
    seconds = time.perf_counter() - begin
    if not all(f.level is Level.OK for f in findings if f.subject in ("pictures", "masks")):
        raise SystemExit(f"the generated data is not whole: {findings}")
    return seconds


def parse_with_lvis(folder: Path) -> float:
    """What the `lvis` package needs to hold the file."""
    from lvis import LVIS

    begin = time.perf_counter()
    LVIS(str(folder / "lvis_v1_val.json"))
    return time.perf_counter() - begin


STEPS = {
    "build": build,
    "reopen": build,
    "read": read_images,
    "references": read_references,
    "check": check_files,
    "lvis": parse_with_lvis,
}
TITLES = {
    "build": "build the index",
    "reopen": "reopen it (hash the source, map the index)",
    "read": f"read one image at random (mean of {READS:,})",
    "references": "table of all references",
    "check": "check annotations, masks and pictures",
    "lvis": "for comparison: lvis.LVIS(file), parsing only",
}


def write_pictures(root: Path, images: int) -> None:
    """Write the pictures, all alike."""
    buffer = io.BytesIO()
    PIL.Image.effect_noise((WIDTH, HEIGHT), 30).save(buffer, "JPEG", quality=30)
    for split in ("train2017", "val2017"):
        (root / split).mkdir()
    for number in range(1, images + 1):
        (root / picture_name(number)).write_bytes(buffer.getvalue())


def picture_name(number: int) -> str:
    """A picture's split and file name."""
    return f"{'train2017' if number % 4 else 'val2017'}/{number:012d}.jpg"


def write_annotations(path: Path, images: int, regions: int) -> None:
    """Write LVIS v1 annotations of random blobs, streaming."""
    draw = random.Random(0)
    with path.open("w") as file:
        file.write('{"info": {"version": "v1 generated"}, "annotations": [')
        write_items(file, (annotation(draw, number, images) for number in range(1, regions + 1)))
        file.write('], "images": [')
        write_items(file, (image(number) for number in range(1, images + 1)))
        file.write('], "categories": [')
        write_items(file, (category(number) for number in range(1, CATEGORIES + 1)))
        file.write("]}")


def write_items(file: TextIO, items: Iterator[dict[str, object]]) -> None:
    """Write JSON objects with commas between them."""
    for number, item in enumerate(items):
        print(("," if number else "") + json.dumps(item), end="", file=file)


def annotation(draw: random.Random, number: int, images: int) -> dict[str, object]:
    """A blob on a random image."""
    radius = draw.uniform(5, 120)
    x, y = draw.uniform(0, WIDTH), draw.uniform(0, HEIGHT)
    count = max(5, int(draw.expovariate(1 / (MEAN_POINTS - 5)) + 5))
    polygon: list[float] = []
    for step in range(count):
        reach = radius * draw.uniform(0.7, 1.0)
        angle = 2 * pi * step / count
        polygon += [
            round(min(max(x + reach * cos(angle), 0), WIDTH), 2),
            round(min(max(y + reach * sin(angle), 0), HEIGHT), 2),
        ]
    return {
        "id": number,
        "image_id": draw.randint(1, images),
        "category_id": draw.randint(1, CATEGORIES),
        "segmentation": [polygon],
        "bbox": [x - radius, y - radius, 2 * radius, 2 * radius],
        "area": 1.0,
    }


def image(number: int) -> dict[str, object]:
    """An image record with LVIS v1's keys that matter."""
    return {
        "id": number,
        "width": WIDTH,
        "height": HEIGHT,
        "coco_url": f"http://images.cocodataset.org/{picture_name(number)}",
        "neg_category_ids": [],
        "not_exhaustive_category_ids": [],
    }


def category(number: int) -> dict[str, object]:
    """A category record with LVIS v1's keys that matter."""
    return {
        "id": number,
        "name": f"category_{number}",
        "frequency": "rcf"[number % 3],
        "synonyms": [f"category_{number}", f"kind_{number}"],
    }


if __name__ == "__main__":
    main()
