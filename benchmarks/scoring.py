"""Time the free-text scorer against encoding every pair one by one, as the published scripts do.

Both score the same generated answers with the same encoder in the same process; neither has seen
a text before. The scorer's time holds everything it does: both cleanings, three protocols,
per-category means and the bootstrap intervals. It scores all answers anew before every quarter
of the per-pair way and once after the last, so that both meet the same moods of the machine; the
median of its five times counts.

    python -m benchmarks.scoring                  # 2,000 answers: 500 distinct texts, all distinct
    python -m benchmarks.scoring --full           # 250,000 answers, 20,000 distinct texts
"""

from __future__ import annotations

import argparse
import itertools
import math
import platform
import random
import resource
import statistics
import time
from typing import Any, NamedTuple

import pandas as pd
import torch
from sentence_transformers import SentenceTransformer, util

from metrics.encoder import SentenceEncoder
from metrics.semantic import semantic_iou
from metrics.text import WOWSEG_V1
from suites.base import Scores
from suites.protocols.free_text import score_free_text

QUARTERS = 4
REGIONS_PER_IMAGE = 12  # about LVIS's density

SIZES = "small large tiny huge narrow wide tall short thick thin"
LOOKS = (
    "red green blue yellow white black grey brown wooden metal plastic striped dotted rusty "
    "shiny broken folded open empty wet"
)
THINGS = (
    "dog cat bus car chair table lamp bottle cup plate knife spoon banana apple carrot pizza "
    "bench umbrella bicycle truck boat bird horse sheep elephant clock vase book pillow curtain "
    "laptop keyboard backpack handbag jacket shoe helmet kite racket surfboard"
)
PARTS = "handle lid wheel leg edge label screen strap pocket button"


class Answers(NamedTuple):
    """A suite's references and a run's answers, as the scorer takes them."""

    references: pd.DataFrame
    answers: pd.DataFrame


class Timing(NamedTuple):
    """One row of the printed table."""

    distinct: int
    per_pair: float
    ours: float
    gap: float


def generate(count: int, distinct: int, seed: int = 0) -> Answers:
    """Answers and labels of ``distinct`` texts together; ``2 × count`` uses every text once.

    The texts are the shortest names there are, from one word up to four.
    """
    rng = random.Random(seed)
    choices = ["", *SIZES.split()], ["", *LOOKS.split()], THINGS.split(), ["", *PARTS.split()]
    names = [
        "_".join(filter(None, words)) + (f":{part}" if part else "")
        for *words, part in itertools.product(*choices)
    ]
    names.sort(key=lambda name: name.count("_") + name.count(":"))
    texts = names[:distinct]
    rng.shuffle(texts)
    half = distinct // 2
    labels = (texts[:half] * (count // half + 1))[:count]
    said = [text.replace("_", " ").replace(":", " ") for text in texts[half:]]
    said[::10] = [f"{text}." for text in said[::10]]  # the two cleanings differ on these
    said = (said * (count // len(said) + 1))[:count]
    rng.shuffle(labels)
    rng.shuffle(said)
    regions = [f"{row:08d}" for row in range(count)]
    images = [f"{row // REGIONS_PER_IMAGE:06d}" for row in range(count)]
    return Answers(
        pd.DataFrame({"region_id": regions, "image_id": images, "category": labels}),
        pd.DataFrame({"region_id": regions, "text": said, "status": "answered"}),
    )


def score_pair_by_pair(data: Answers, model: Any) -> tuple[float, float]:
    """Summed similarity and IoU, encoding both texts of every pair anew."""
    similarity = overlap = 0.0
    for label, said in zip(data.references["category"], data.answers["text"], strict=True):
        reference, prediction = WOWSEG_V1.reference(label), WOWSEG_V1.prediction(said)
        left = model.encode(prediction, convert_to_tensor=True, show_progress_bar=False)
        right = model.encode(reference, convert_to_tensor=True, show_progress_bar=False)
        similarity += float(util.cos_sim(left, right)[0][0])
        overlap += semantic_iou(prediction, reference)
    return similarity, overlap


def compare(count: int, distinct: int, encoder: SentenceEncoder, model: Any) -> Timing:
    """Score the same answers both ways, interleaved."""
    data = generate(count, distinct)
    size = math.ceil(count / QUARTERS)
    ours, sums, per_pair = [], [0.0, 0.0], 0.0
    for start in range(0, count, size):
        ours.append(time_scorer(data, encoder)[1])
        quarter = Answers(*(frame[start : start + size] for frame in data))
        began = time.perf_counter()
        found = score_pair_by_pair(quarter, model)
        per_pair += time.perf_counter() - began
        sums = [total + part for total, part in zip(sums, found, strict=True)]
    scores, seconds = time_scorer(data, encoder)
    ours.append(seconds)

    values = {(s.metric, s.protocol): s.value for s in scores.table}
    gaps = [
        abs((values[metric, WOWSEG_V1.name] or 0.0) - total / count)
        for metric, total in zip(("semantic_similarity", "semantic_iou"), sums, strict=True)
    ]
    return Timing(distinct, per_pair, statistics.median(ours), max(gaps))


def time_scorer(data: Answers, encoder: SentenceEncoder) -> tuple[Scores, float]:
    """The scorer's result and its wall time in seconds."""
    start = time.perf_counter()
    scores = score_free_text(data.references, data.answers, encoder)
    return scores, time.perf_counter() - start


def print_comparison(count: int, encoder: SentenceEncoder) -> None:
    """Time both ways with 500 distinct texts and with every text distinct."""
    model = SentenceTransformer(str(encoder.files.folder), device=encoder.device)
    warm_up = generate(16, 32, seed=1)
    score_free_text(warm_up.references, warm_up.answers, encoder)
    score_pair_by_pair(warm_up, model)
    print("| answers | distinct texts | pair by pair | this scorer | ratio | largest difference |")
    print("|---:|---:|---:|---:|---:|---:|")
    for distinct in (min(500, 2 * count), 2 * count):
        row = compare(count, distinct, encoder, model)
        print(
            f"| {count:,} | {row.distinct:,} | {row.per_pair:.1f} s | {row.ours:.2f} s "
            f"| {row.per_pair / row.ours:.0f}× | {row.gap:.0e} |"
        )


def print_full(encoder: SentenceEncoder) -> None:
    """Score 250,000 answers with 20,000 distinct texts; print time and peak memory."""
    data = generate(250_000, 20_000)
    before = peak_memory()
    scores, seconds = time_scorer(data, encoder)
    print("| answers | distinct texts | images | time | peak memory | before scoring |")
    print("|---:|---:|---:|---:|---:|---:|")
    print(
        f"| {scores.counts.expected:,} | 20,000 | {data.references['image_id'].nunique():,} "
        f"| {seconds:.1f} s | {peak_memory():.2f} GB | {before:.2f} GB |"
    )


def peak_memory() -> float:
    """The process's largest resident size so far, in GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if platform.system() == "Darwin" else 1024) / 1e9


def main() -> None:
    """Parse the command line and print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=2000, help="answers to score both ways")
    parser.add_argument("--full", action="store_true", help="250,000 answers, our way only")
    options = parser.parse_args()
    encoder = SentenceEncoder.load()
    print(
        f"{encoder.name}@{(encoder.revision or '')[:7]} ({encoder.source}), "
        f"{encoder.device}, {torch.get_num_threads()} threads, torch {torch.__version__}\n"
    )
    if options.full:
        print_full(encoder)
    else:
        print_comparison(options.answers, encoder)


if __name__ == "__main__":
    main()
