"""Build the contingency index of a generated panoptic set, and score answers from it.

For every number of processes: wall time, and the largest memory of all processes together
(proportional set size, so that shared pages count once). The indexes must be equal byte for
byte. Then the set is opened and scored without its label maps being read.

    python -m benchmarks.segmentation_index
    python -m benchmarks.segmentation_index --images 2000 --processes 1 2 4 8
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from numpy.typing import NDArray
from PIL import Image

from suites.base import Selection
from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC
from suites.segmentation.class_names import class_names
from suites.segmentation.index import SegmentationSource, ensure_index
from suites.segmentation.opening import panoptic_suite
from suites.segmentation.panoptic_files import list_panoptic

LIMIT_MIB = 2048
SIZES = {"ADE20K": (512, 683, 12), "Cityscapes": (1024, 2048, 40)}
PATTERNS = 16
"""Different pictures drawn; the set repeats them under other names and classes."""


class WordEncoder:
    """Texts are alike by the words they share; encoding is not what is measured."""

    digest = "words"

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors ``[texts, 1024]``."""
        vectors = np.zeros((len(texts), 1024), np.float32)
        for row, text in enumerate(texts):
            vectors[row, [zlib.crc32(word.encode()) % 1024 for word in text.split() or [""]]] = 1
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths)


class PeakMemory:
    """Largest proportional set size of this process and its children, in MiB."""

    def __enter__(self) -> PeakMemory:
        self.mib = 0.0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._sample)
        self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._watch.join()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._over.wait(0.1):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                    continue
            self.mib = max(self.mib, total / 2**20)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--size", choices=SIZES, default="ADE20K")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "ADEChallengeData2016"
        write_set(root, options.images, *SIZES[options.size])
        height, width, segments = SIZES[options.size]
        print(f"{options.images:,} images of {width}×{height}, about {segments} segments each\n")
        print("| processes | seconds | images / s | peak MiB |\n|---|---|---|---|")
        peaks = [build(root, Path(name), number, options.images) for number in options.processes]
        check_equal(Path(name))
        score(root, Path(name) / "cache-scored")
    if max(peaks) > LIMIT_MIB:
        raise SystemExit(f"building took more than {LIMIT_MIB} MiB")


def build(root: Path, folder: Path, processes: int, images: int) -> float:
    """Build the index anew, print its row, and return its peak in MiB."""
    with PeakMemory() as peak:
        start = time.perf_counter()
        ensure_index(source(root), folder / f"cache-{processes}", processes=processes)
        seconds = time.perf_counter() - start
    print(f"| {processes} | {seconds:.1f} | {images / seconds:.0f} | {peak.mib:,.0f} |")
    return peak.mib


def source(root: Path) -> SegmentationSource:
    """The set, ready to be indexed."""
    listing = list_panoptic(ADE20K_PANOPTIC, root)
    labels = class_names(ADE20K_PANOPTIC.classes(), None, None).labels
    return SegmentationSource("ade20k-panoptic", listing.jobs, labels, tables=True, sources=())


def check_equal(folder: Path) -> None:
    """See that every index has the same bytes.

    Raises:
        SystemExit: they differ.
    """
    digests = {
        tuple(
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(cache.glob("indexes/*/*/*"))
        )
        for cache in folder.glob("cache-*")
    }
    if len(digests) != 1:
        raise SystemExit("the indexes differ")
    print("\nall indexes are equal byte for byte\n")


def score(root: Path, cache: Path) -> None:
    """Open the suite and score half-wrong answers, with and without intervals."""
    names = class_names(ADE20K_PANOPTIC.classes(), None, None)
    panoptic_suite(ADE20K_PANOPTIC, root, names, cache)  # builds
    start = time.perf_counter()
    suite = panoptic_suite(ADE20K_PANOPTIC, root, names, cache)
    opened = time.perf_counter() - start
    references = suite.references(Selection())
    texts = references["category"].to_numpy(dtype=object).copy()
    texts[::2] = np.random.default_rng(0).choice(names.labels, len(texts[::2]))
    answers = pd.DataFrame(
        {"region_id": references["region_id"], "text": texts, "status": "answered"}
    )
    print("| step | seconds |\n|---|---|")
    print(f"| open | {opened:.2f} |")
    for resamples in (1, 1000):
        start = time.perf_counter()
        suite.score(answers, WordEncoder(), selection=Selection(), resamples=resamples)
        seconds = time.perf_counter() - start
        print(f"| score {len(answers):,} answers, {resamples:,} resample(s) | {seconds:.2f} |")


def write_set(root: Path, images: int, height: int, width: int, segments: int) -> None:
    """An ``ADEChallengeData2016`` of patches around random points."""
    generator = np.random.default_rng(0)
    for folder in ("annotations/validation", "ade20k_panoptic_val"):
        (root / folder).mkdir(parents=True)
    patterns = [draw(generator, height, width, segments) for _ in range(PATTERNS)]
    document: dict[str, list[Any]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": klass} for klass in range(150)],
    }
    for number in range(images):
        ids = patterns[number % PATTERNS]
        classes = generator.integers(0, 150, segments + 1)
        semantic = np.where(ids == 0, 0, classes[ids] + 1).astype(np.uint8)
        name = f"ADE_val_{number:08d}"
        coded = np.stack([ids % 256, ids // 256, np.zeros_like(ids)], axis=-1).astype(np.uint8)
        Image.fromarray(semantic).save(
            root / f"annotations/validation/{name}.png", compress_level=1
        )
        Image.fromarray(coded).save(root / f"ade20k_panoptic_val/{name}.png", compress_level=1)
        areas = np.bincount(ids.ravel(), minlength=segments + 1)
        document["images"].append({"id": name, "width": width, "height": height})
        document["annotations"].append(
            {
                "image_id": name,
                "file_name": f"{name}.png",
                "segments_info": [
                    {
                        "id": label,
                        "category_id": int(classes[label]),
                        "area": int(areas[label]),
                        "iscrowd": 0,
                    }
                    for label in range(1, segments + 1)
                    if areas[label]
                ],
            }
        )
    (root / "ade20k_panoptic_val.json").write_text(json.dumps(document), encoding="utf-8")


def draw(
    generator: np.random.Generator, height: int, width: int, segments: int
) -> NDArray[np.int64]:
    """Segment ids: each pixel has that of the nearest of some points; a border is void."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y += 8 * np.sin(x / 9)
    points = generator.uniform((0, 0), (height, width), (segments, 2))
    nearest = np.zeros((height, width), np.int64)
    best = np.full((height, width), np.inf, np.float32)
    for label, (py, px) in enumerate(points, 1):
        distance = ((y - py) ** 2 + (x - px) ** 2).astype(np.float32)
        nearest[distance < best] = label
        best = np.minimum(best, distance)
    nearest[:5] = 0
    return nearest


if __name__ == "__main__":
    main()
