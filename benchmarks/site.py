"""How long the site of many runs takes: from nothing, again, and with one more run.

Synthetic runs of several suites are stored as `bench run` stores them: manifest, answers, scores
by region and category, resamples. Only the numbers are made up. Then the real command,
`bench report`, is timed as a process of its own: first into an empty folder, then with nothing
changed, then with one run more.

    python -m benchmarks.site
    python -m benchmarks.site --runs 100 --keep /tmp/many-runs
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from adapters.interface import Answer, FinishReason, Task
from bench import scoring
from bench.manifest import (
    CodeRecord,
    HardwareRecord,
    Manifest,
    ModelRecord,
    SelectionRecord,
    SessionRecord,
    SuiteRecord,
)
from bench.records import AnswerRow
from bench.store import StoredRun
from benchmarks.measuring import progress
from suites.base import Counts, Draws, Score, Scores

FROM_NOTHING = 30.0
ONE_MORE = 3.0
RESAMPLES = 1000
METRICS = ("semantic_similarity", "semantic_iou", "exact_match")
PROTOCOLS = ("wowseg-v1", "osprey-v1")
WORDS = ("red", "small", "wooden", "city", "garden", "metal", "tall", "toy")


class Shape(NamedTuple):
    """One suite, and which share of the runs is of it."""

    name: str
    share: float
    images: int
    regions_per_image: int
    categories: int


SHAPES = (
    Shape("shapes", 0.45, 60, 5, 58),
    Shape("paco", 0.3, 100, 5, 200),
    Shape("rr7k", 0.2, 200, 5, 400),
    Shape("lvis", 0.05, 1000, 4, 1000),
)


@dataclass(frozen=True)
class Encoder:
    """Says what a sentence encoder would say of itself."""

    name: str = "sentence-transformers/all-MiniLM-L6-v2"
    revision: str | None = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
    source: str = "none: the numbers are made up"
    digest: str = field(default="9c8ac6b8" * 8)

    def encode(self, texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Nothing here encodes."""
        raise NotImplementedError


def store(root: Path, runs: int, first: int = 0) -> None:
    """Store that many runs below ``root``, numbered from ``first``."""
    for number in range(first, first + runs):
        at = (number * 0.618034) % 1.0  # suites take turns in the proportion of their shares
        for shape in SHAPES:
            at -= shape.share
            if at < 0:
                break
        _store(root, shape, number)


def _store(root: Path, shape: Shape, number: int) -> None:
    rng = np.random.default_rng(number)
    run = StoredRun.at(root, shape.name, f"model-{number:04d}", f"{number:016x}")
    regions, counts = _regions(shape, rng)
    with run.writing() as writer:
        writer.write_manifest(_manifest(run, shape, number, len(regions)))
        writer.append(list(_answers(regions)))
        scores = _scores(shape, regions, counts, rng)
        scoring.keep(
            writer,
            scores,
            Encoder(),
            images=shape.images,
            resamples=RESAMPLES,
            started=time.monotonic(),
        )


def _regions(shape: Shape, rng: np.random.Generator) -> tuple[pd.DataFrame, Counts]:
    """Answers around a skill, and their scores by region."""
    total = shape.images * shape.regions_per_image
    names = [
        f"{WORDS[at % len(WORDS)]} {WORDS[at // len(WORDS) % len(WORDS)]} thing {at}"
        for at in range(shape.categories)
    ]
    meant = rng.integers(0, shape.categories, total)
    right = rng.random(total) < rng.uniform(0.4, 0.98)
    said = np.where(right, meant, rng.integers(0, shape.categories, total))
    similarity = np.where(right, 1.0, np.clip(rng.normal(0.4, 0.15, total), -0.1, 1.0))
    images = [f"{at // shape.regions_per_image:012d}" for at in range(total)]
    frame: dict[str, object] = {
        "region_id": [f"{image}/{at:06d}" for at, image in enumerate(images)],
        "image_id": images,
        "category": [names[at] for at in meant],
        "reference": [names[at] for at in meant],
        "text": [names[at] for at in said],
        "status": ["answered"] * total,
    }
    for protocol in PROTOCOLS:
        for metric, values in zip(METRICS, (similarity, similarity**2, right * 1.0), strict=True):
            frame[f"{metric}/{protocol}"] = values
    return pd.DataFrame(frame), Counts(total, total, 0, 0, 0, 0)


def _scores(
    shape: Shape, regions: pd.DataFrame, counts: Counts, rng: np.random.Generator
) -> Scores:
    table, draws, parts = [], [], []
    for protocol in PROTOCOLS:
        for metric in METRICS:
            column = regions[f"{metric}/{protocol}"]
            by_category = column.groupby(regions["category"]).agg(["mean", "count"]).reset_index()
            by_category.columns = pd.Index(["category", "value", "count"])
            parts.append(by_category.assign(metric=metric, protocol=protocol))
            for name, mean, count in (
                (metric, column.mean(), len(column)),
                (f"{metric}[macro]", by_category["value"].mean(), len(by_category)),
            ):
                drawn = rng.normal(mean, column.std() / len(column) ** 0.5, RESAMPLES)
                low, high = np.percentile(drawn, [2.5, 97.5])
                table.append(Score(name, protocol, float(mean), float(low), float(high), count))
                draws.append(drawn)
    columns = ["category", "metric", "protocol", "value", "count"]
    return Scores(
        main_metric=METRICS[0],
        protocol=PROTOCOLS[0],
        encoder_digest=Encoder().digest,
        table=tuple(table),
        counts=counts,
        regions=regions,
        categories=pd.concat(parts)[columns].sort_values(columns[:3], ignore_index=True),
        draws=Draws(np.array(draws, np.float32), (f"images of {shape.name}",) * len(table)),
    )


def _answers(regions: pd.DataFrame) -> Iterator[AnswerRow]:
    for region, image, text in regions[["region_id", "image_id", "text"]].itertuples(index=False):
        answer = Answer.generated(text, (1, 2, 3), FinishReason.STOP, prompt_tokens=300)
        yield AnswerRow.of(region, image, "0" * 64, answer)


def _manifest(run: StoredRun, shape: Shape, number: int, regions: int) -> Manifest:
    suite, model, _ = run.name.split("/")
    started = f"2026-06-{1 + number % 28:02d}T12:00:00+00:00"
    return Manifest(
        run=run.name,
        command=f"bench run --model {model} --suite {suite}",
        suite=SuiteRecord(
            name=suite,
            called=suite,
            version="1",
            digest=f"{len(suite):064x}",
            kind="made-up",  # opens nowhere: pictures are not measured
            options={},
            task=Task.CATEGORY,
            protocol=PROTOCOLS[0],
            main_metric=METRICS[0],
            licence="CC BY 4.0",
            source="generated",
            images=shape.images,
        ),
        model=ModelRecord(
            name=model,
            adapter="wow-seg",
            revision=1,
            checkpoint=f"example/{model}",
            checkpoint_digest=f"{number:064x}",
            parameters=1_000_000_000 + number,
            dtype="bfloat16",
            prompt="What is in the marked region? Answer with a name.",
            settings={"multi_instance": "shared-prefix", "scale": 2.0, "max_tiles": 12},
            base_model="OpenGVLab/InternVL3-1B",
            licence="Apache-2.0",
            context_dependent=False,
            declared={"adapter": "wow-seg", "checkpoint": f"example/{model}", "seed": 0},
        ),
        max_new_tokens=100,
        mask_source="gt",
        selection=SelectionRecord(limit=None, images=shape.images, regions=regions),
        sessions=(
            SessionRecord(
                started=started,
                ended=started,
                seconds=73.4,
                outcome="finished",
                device="cuda",
                images_asked=shape.images,
                regions_asked=regions,
                hardware=HardwareRecord(
                    host="bench", platform="Linux", cpu="x86_64", cores=2, memory_gib=24.0
                ),
                code=CodeRecord(
                    version="0.1.0",
                    commit="0" * 40,
                    dirty=False,
                    python="3.11.7",
                    packages={"numpy": "2.4.6", "torch": "2.13.0"},
                ),
            ),
        ),
    )


def report(folder: Path) -> float:
    """Seconds of `bench report` as a process of its own."""
    began = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("bench")), "report"],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith("BENCH_")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Store the runs, time the three builds, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="work here, and leave runs and site behind")
    chosen = parser.parse_args(arguments)
    if chosen.keep is not None:
        chosen.keep.mkdir(parents=True)
        return _measure(chosen.keep, chosen.runs)
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), chosen.runs)


def _measure(folder: Path, runs: int) -> int:
    (folder / "bench.yaml").write_text("schema_version: 1\n", encoding="utf-8")
    progress(f"storing {runs:,} runs in {folder}")
    store(folder / "runs", runs)
    rows = [
        ("from nothing", report(folder), FROM_NOTHING),
        ("nothing changed", report(folder), ONE_MORE),
    ]
    store(folder / "runs", 1, first=runs)
    rows.append(("one run more", report(folder), ONE_MORE))
    files = [path for path in (folder / "site").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 2**20
    print(f"{runs:,} runs: a site of {len(files):,} files, {size:,.1f} MiB\n")
    print("| build | seconds | at most |\n|---|--:|--:|")
    for name, seconds, most in rows:
        print(f"| {name} | {seconds:.2f} | {most:.0f} |")
    return 0 if all(seconds <= most for _, seconds, most in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
