"""Panoptic quality: how fast, next to the computation of the panoptic API.

Both sides score the same generated pictures in the same run, in turns, and must agree. Decoding
the PNGs is the same work for both and is timed apart. Then a set of ADE20K's size is scored from
contingency tables, and answers are matched with the 847 classes of ADE20K-full, their embeddings
given. Prints Markdown::

    python -m benchmarks.panoptic
    python -m benchmarks.panoptic --full    # as in docs/segmentation_metrics.md
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.panoptic_api_style import count_like_panoptic_api
from metrics.class_matching import ClassMatcher
from metrics.mean_iou import count_pixels, mean_iou
from metrics.panoptic import count_maps, count_matches, predicted_segments
from metrics.panoptic_quality import panoptic_draws, panoptic_quality
from metrics.segment_tables import NOWHERE, PanopticTable, Segments, SemanticTable
from suites.vocabularies import load_vocabulary

CLASSES = 150
THINGS = np.arange(CLASSES) < 100
SIZES = {"Cityscapes": (1024, 2048, 25), "ADE20K": (512, 683, 12)}


@dataclass(frozen=True)
class Picture:
    """A ground truth and a prediction, as maps and as PNG files."""

    truth_map: NDArray[np.uint32]
    truth: Segments
    true_areas: dict[int, int]
    predicted_map: NDArray[np.uint32]
    predicted: Segments
    files: tuple[Path, Path]


def picture(rng: np.random.Generator, size: tuple[int, int, int], stem: Path) -> Picture:
    """Ragged patches around random points; the prediction is shifted and misses some."""
    height, width, segments = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for scale in (40.0, 9.0):
        waves = rng.uniform(0, 6, 2)
        y, x = (
            y + scale / 4 * np.sin(x / scale + waves[0]),
            x + scale / 4 * np.sin(y / scale + waves[1]),
        )
    centres = rng.uniform(0, 1, (segments, 2)) * (height, width)
    distances = np.stack([(y - cy) ** 2 + (x - cx) ** 2 for cy, cx in centres])
    ids = rng.choice(256**3 - 1, segments, replace=False) + 1
    classes = rng.integers(CLASSES, size=segments)
    kept = np.append(rng.random(segments) < 0.95, True)
    truth_map = np.where(kept, np.append(ids, 0), 0)[distances.argmin(axis=0)]
    predicted_map = np.roll(truth_map, (4, -6), axis=(0, 1))
    answered = np.where(rng.random(segments) < 0.8, classes, rng.integers(CLASSES, size=segments))
    shown = np.isin(ids, truth_map)
    no_crowd = np.zeros(np.count_nonzero(shown), bool)
    maps = truth_map.astype(np.uint32), predicted_map.astype(np.uint32)
    files = stem.with_suffix(".truth.png"), stem.with_suffix(".predicted.png")
    for area, file in zip(maps, files, strict=True):
        channels = np.stack([area % 256, area // 256 % 256, area // 65536], axis=-1)
        Image.fromarray(channels.astype(np.uint8)).save(file)
    return Picture(
        maps[0],
        Segments(ids[shown], classes[shown], no_crowd),
        {int(label): int(np.count_nonzero(truth_map == label)) for label in ids[shown]},
        maps[1],
        Segments(ids[shown], answered[shown], no_crowd),
        files,
    )


def decode(file: Path) -> NDArray[np.uint32]:
    """Segment ids of a panoptic PNG."""
    rgb = np.asarray(Image.open(file)).astype(np.uint32)
    return np.asarray(rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2], np.uint32)


def decode_both(one: Picture) -> list[NDArray[np.uint32]]:
    """Both maps from their files."""
    return [decode(file) for file in one.files]


def milliseconds(work: Callable[[Picture], object], one: Picture) -> float:
    """Time of one call."""
    start = time.perf_counter()
    work(one)
    return 1000 * (time.perf_counter() - start)


def compare_pixel_paths(images: int, rounds: int) -> Iterator[str]:
    """Rows: per image size, median milliseconds per image of decoding and of both sides."""
    yield "| picture | segments | decoding (ms) | panoptic-API style (ms) | ours (ms) | ratio |"
    yield "|---|---|---|---|---|---|"
    for name, size in SIZES.items():
        rng = np.random.default_rng(0)
        decoding, theirs, ours = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(images):
                one = picture(rng, size, Path(folder) / str(number))
                check_agreement(one)
                for _ in range(rounds):
                    decoding.append(milliseconds(decode_both, one))
                    theirs.append(milliseconds(reference, one))
                    ours.append(milliseconds(counted, one))
        medians = [statistics.median(times) for times in (decoding, theirs, ours)]
        yield (
            f"| {name}, {size[1]}×{size[0]} | {size[2]} | {medians[0]:.1f} | {medians[1]:.1f} "
            f"| {medians[2]:.2f} | {medians[1] / medians[2]:.1f}× |"
        )


def reference(one: Picture) -> NDArray[np.float64]:
    """TP, FP, FN and summed IoU per class, as the panoptic API computes them."""
    return count_like_panoptic_api(
        one.truth_map, one.truth, one.predicted_map, one.predicted, one.true_areas, CLASSES
    )


def counted(one: Picture) -> NDArray[np.float64]:
    """The same by this project."""
    counts = count_maps(one.truth_map, one.truth, one.predicted_map, one.predicted, classes=CLASSES)
    return np.stack(
        [
            counts.true_positives[0],
            counts.false_positives[0],
            counts.false_negatives[0],
            counts.iou[0],
        ]
    )


def check_agreement(one: Picture) -> None:
    """Refuse to time two sides that compute different things."""
    if not np.allclose(reference(one), counted(one), rtol=0, atol=1e-12):
        raise SystemExit("the two sides disagree; nothing was timed")


def tables(images: int, segments: int) -> tuple[list[PanopticTable], list[SemanticTable]]:
    """Contingency tables of a set whose asked segments are the ground truth's own."""
    rng = np.random.default_rng(1)
    panoptic, semantic = [], []
    own = np.arange(segments)
    for _ in range(images):
        classes, area = rng.integers(CLASSES, size=segments), rng.integers(50, 90_000, segments)
        panoptic.append(
            PanopticTable(
                images=1,
                segment_image=np.zeros(segments, np.intp),
                segment_area=area,
                truth_image=np.zeros(segments, np.intp),
                truth_class=classes,
                truth_crowd=np.zeros(segments, bool),
                truth_area=area,
                overlap_segment=own,
                overlap_truth=own,
                overlap_pixels=area,
            )
        )
        # A margin of every segment has a neighbour's class, and some pixels are in no segment.
        segment = np.concatenate([own, own, [NOWHERE]])
        semantic.append(
            SemanticTable(
                images=1,
                segments=segments,
                image=np.zeros(len(segment), np.intp),
                segment=segment,
                truth_class=np.concatenate([classes, np.roll(classes, 1), classes[:1]]),
                pixels=np.concatenate([area * 9 // 10, area // 10, [500]]),
            )
        )
    return panoptic, semantic


def score_set(images: int, segments: int, resamples: int) -> Iterator[str]:
    """Rows: seconds of scoring a set from its tables, and of its intervals."""
    panoptic, semantic = tables(images, segments)
    answered = np.where(
        np.random.default_rng(2).random(images * segments) < 0.7,
        np.concatenate([table.truth_class for table in panoptic]),
        np.random.default_rng(3).integers(CLASSES, size=images * segments),
    )
    start = time.perf_counter()
    joined = PanopticTable.join(panoptic)
    prediction = predicted_segments(joined, answered, THINGS)
    counts = count_matches(prediction.table, prediction.classes, classes=CLASSES)
    for group in (None, THINGS, ~THINGS):
        panoptic_quality(counts, group)
    pixels = count_pixels(SemanticTable.join(semantic), answered, classes=CLASSES)
    mean_iou(pixels)
    scored = time.perf_counter()
    panoptic_draws(counts, resamples=resamples)
    resampled = time.perf_counter()
    yield "| set | segments | PQ, SQ, RQ and mIoU (s) | intervals of PQ, SQ, RQ (s) |"
    yield "|---|---|---|---|"
    yield (
        f"| {images:,} images, {CLASSES} classes | {len(answered):,} "
        f"| {scored - start:.3f} | {resampled - scored:.2f} ({resamples:,} resamples) |"
    )


class Lookup:
    """An encoder that has nothing to compute: random unit vectors, by the length of the list."""

    def __init__(self, texts: int) -> None:
        vectors = np.random.default_rng(4).standard_normal((texts, 384), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self._vectors = vectors

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """As many vectors as texts."""
        return self._vectors[: len(texts)]


def match_answers(answers: int) -> Iterator[str]:
    """Rows: seconds of matching distinct answers with the classes of ADE20K-full."""
    names = load_vocabulary("ade20k-847").synonyms
    matcher = ClassMatcher.load(names, Lookup(8192))
    texts = [f"answer {number}" for number in range(answers)]
    start = time.perf_counter()
    matcher.match(texts)
    seconds = time.perf_counter() - start
    yield "| distinct answers | classes | names | matching without encoding (s) |"
    yield "|---|---|---|---|"
    yield f"| {answers:,} | {len(names)} | {sum(map(len, names)):,} | {seconds:.1f} |"


def main() -> None:
    """Run both parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="more pictures, rounds and resamples")
    full = parser.parse_args().full
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {np.__version__}, one thread, load {os.getloadavg()[0]:.1f}\n"
    )
    print("\n".join(compare_pixel_paths(images=8 if full else 2, rounds=9 if full else 3)), "\n")
    print("\n".join(score_set(2000, 12, resamples=1000 if full else 100)), "\n")
    print("\n".join(match_answers(300_000 if full else 20_000)))


if __name__ == "__main__":
    main()
