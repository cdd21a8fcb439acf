"""Synthetic boards that look like real ones: for tests, and for looking at the pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.frames import (
    PUBLISHED_COLUMNS,
    RUN_COLUMNS,
    SCORE_COLUMNS,
    Board,
    PageSource,
    RunReport,
)

METRICS = ("semantic_similarity", "semantic_iou", "exact_match")
PROTOCOLS = ("wowseg-v1", "osprey-v1")
COLORS = ("red", "green", "blue", "yellow", "purple", "orange", "teal", "pink", "brown", "grey")
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202etxet desrever\u202c \u2066and an open isolate",
    "مصباح أحمر\u200f (red lamp)",
    "a\x00b\x07c\x1b[31m",
    "lone \ud83d surrogate \udcff",
    "👩‍👩‍👧‍👦 🇺🇳 👍🏽",
    '=HYPERLINK("http://example.invalid","x")',
    "x" * 100_000,
    "two\nlines\tand a tab",
    "javascript:alert(1)//'\"><svg/onload=alert(1)>",
)


@dataclass(frozen=True)
class Made:
    """One synthetic run: its row, its scores and its page."""

    row: dict[str, Any]
    scores: list[tuple[Any, ...]]
    page: RunReport


def run(
    model: str,
    *,
    suite: str = "shapes",
    skill: float = 0.9,
    images: int = 120,
    part: int | None = None,
    errored: int = 0,
    settings: str = "multi_instance=shared-prefix, scale=2",
    texts: Sequence[str] = (),
    seed: int = 0,
    parameters: int = 1_284_352,
    run_id: str = "20260601T120000-5f3a",
    certified: str = "passed",
) -> Made:
    """A run whose per-region scores scatter around ``skill``; ``texts`` replace first answers."""
    name = f"{suite}/{model}/{run_id}"
    random = np.random.default_rng([seed, *name.encode("utf-8", "replace")])
    asked = part or images
    regions = _regions(random, asked, skill, texts)
    count = len(regions)
    digest = hashlib.sha256(model.encode("utf-8", "surrogatepass")).hexdigest()
    complete = errored == 0
    empty = seed % 2
    row = {
        "run": name,
        "suite": suite,
        "suite_version": "1",
        "model": model,
        "adapter": "wow-seg",
        "checkpoint": f"tiny/{model}" if suite == "shapes" else f"example/{model}",
        "checkpoint_digest": digest,
        "parameters": parameters,
        "base_model": None,
        "licence": "Apache-2.0",
        "dtype": "float32",
        "device": "cpu",
        "settings": settings,
        "main_metric": METRICS[0],
        "protocol": PROTOCOLS[0],
        "encoder": "all-MiniLM-L6-v2@c9745ed",
        "selection": f"all {images} images" if part is None else f"first {part} of {images} images",
        "rank": None,
        "ranked": 0,
        "full": part is None,
        "complete": complete,
        "expected": count,
        "answered": count - errored - empty,
        "empty": empty,
        "unanswerable": 0,
        "errored": errored,
        "missing": 0,
        "started": "2026-06-01T12:00:00Z",
        "seconds": 73.4,
        "certified": certified,
        "certified_stage": "first logits" if certified else "",
        "certified_difference": 4.2e-5 if certified else None,
        "certified_tolerance": 1e-4 if certified else None,
        "certified_on": "2026-05-31T18:00:00+00:00" if certified else "",
    }
    return Made(
        row, _scores(name, regions), RunReport(name, _manifest(row), regions, _means(regions))
    )


def renamed(made: Made, model: str) -> Made:
    """The same run under another model's name: many rows at no cost."""
    name = f"{made.row['suite']}/{model}/{made.row['run'].rpartition('/')[2]}"
    digest = hashlib.sha256(model.encode()).hexdigest()
    row = {**made.row, "run": name, "model": model, "checkpoint_digest": digest}
    return Made(
        {**row, "checkpoint": f"example/{model}"},
        [(name, *score[1:]) for score in made.scores],
        RunReport(name, made.page.manifest, made.page.regions, made.page.categories),
    )


def measuring(made: Made, metrics: Sequence[str], protocol: str) -> Made:
    """The same run with its scores called ``metrics``, the first of them the main one."""
    names = dict(zip(METRICS, metrics, strict=False))
    columns = {f"{old}/{PROTOCOLS[0]}": f"{new}/{protocol}" for old, new in names.items()}
    kept = [c for c in map(str, made.page.regions) if "/" not in c or c in columns]
    own = made.page.regions[kept].rename(columns=columns)
    row = {**made.row, "main_metric": metrics[0], "protocol": protocol}
    scores = [
        (run, names[metric], protocol, *numbers)
        for run, metric, scored, *numbers in made.scores
        if scored == PROTOCOLS[0] and metric in names
    ]
    return Made(row, scores, RunReport(row["run"], made.page.manifest, own, _means(own)))


def board(
    made: Sequence[Made],
    *,
    published: pd.DataFrame | None = None,
    title: str = "Region recognition",
) -> Board:
    """The board of these runs."""
    return Board(
        title=title,
        runs=pd.DataFrame([one.row for one in made], columns=list(RUN_COLUMNS)),
        scores=pd.DataFrame(
            [score for one in made for score in one.scores], columns=list(SCORE_COLUMNS)
        ),
        published=pd.DataFrame(columns=list(PUBLISHED_COLUMNS)) if published is None else published,
        pages=tuple(source(one.page) for one in made),
    )


def source(page: RunReport) -> PageSource:
    """That page, written anew every time."""
    return PageSource(page.run, "", lambda: page, _suite_of(page.manifest))


def demo() -> list[Made]:
    """The three tiny models side by side, a partial and an incomplete run below."""
    return [
        run("tiny-sm", skill=0.88, certified="other versions"),
        run("tiny-mm-cascade", skill=0.985),
        run("tiny-mm-causal", skill=0.945),
        run("tiny-mm-cascade", skill=0.99, part=10, run_id="20260602T090000-11aa", certified=""),
        run("tiny-broken", skill=0.5, errored=14, certified="failed"),
    ]


def suite_digest(suite: str) -> str:
    """What the suite's index would be keyed by."""
    return hashlib.sha256(suite.encode("utf-8", "surrogatepass")).hexdigest()


def _suite_of(manifest: Mapping[str, object]) -> str:
    suite = manifest.get("suite")
    return str(suite.get("digest", "")) if isinstance(suite, dict) else ""


def _regions(
    random: np.random.Generator, images: int, skill: float, texts: Sequence[str]
) -> pd.DataFrame:
    rows = [
        (f"{image:05d}:{region}", f"{image:05d}", *_answer(random, skill))
        for image in range(images)
        for region in range(int(random.integers(3, 7)))
    ]
    for at, text in enumerate(texts):
        rows[at] = (*rows[at][:3], text, -0.1 + at / 1000, 0.0)
    region_ids, image_ids, references, answers, similarities, overlaps = zip(*rows, strict=True)
    columns: dict[str, Sequence[Any]] = {
        "region_id": region_ids,
        "image_id": image_ids,
        "category": references,
        "reference": references,
        "text": answers,
        "status": ["answered"] * len(rows),
    }
    exact = [float(said == meant) for said, meant in zip(answers, references, strict=True)]
    for protocol in PROTOCOLS:
        for metric, values in zip(METRICS, (similarities, overlaps, exact), strict=True):
            columns[f"{metric}/{protocol}"] = values
    # Objects, not Arrow strings: a lone surrogate must reach the pages.
    return pd.DataFrame(
        {name: pd.Series(values, dtype=_dtype(name)) for name, values in columns.items()}
    )


def _dtype(column: str) -> str:
    return "float64" if "/" in column else "object"


def _answer(random: np.random.Generator, skill: float) -> tuple[str, str, float, float]:
    """A reference, an answer, their similarity and their overlap of words."""
    size = random.choice(["small", "large"])
    reference = f"{size} {random.choice(COLORS)} {random.choice(SHAPES)}"
    wrong = f"{random.choice(COLORS)} {random.choice(SHAPES)}"
    if random.random() < skill:
        return reference, reference, 1.0, 1.0
    meant, said = set(reference.split()), set(wrong.split())
    overlap = len(meant & said) / len(meant | said)
    similarity = float(np.clip(0.35 + 0.5 * overlap + random.normal(0, 0.05), -0.1, 1))
    return reference, wrong, similarity, overlap


def _scores(name: str, regions: pd.DataFrame) -> list[tuple[Any, ...]]:
    found = []
    for protocol in PROTOCOLS:
        for metric in METRICS:
            values = regions[f"{metric}/{protocol}"].to_numpy(dtype=float)
            spread = 1.96 * values.std() / np.sqrt(len(values))
            mean = float(values.mean())
            found.append((name, metric, protocol, mean, mean - spread, mean + spread, len(values)))
    return found


def _means(regions: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for column in (column for column in map(str, regions) if "/" in column):
        metric, protocol = column.split("/")
        means = regions.groupby("category")[column].agg(["mean", "count"]).reset_index()
        means.columns = pd.Index(["category", "value", "count"])
        parts.append(means.assign(metric=metric, protocol=protocol))
    return pd.concat(parts, ignore_index=True)[["category", "metric", "protocol", "value", "count"]]


def _manifest(row: dict[str, Any]) -> dict[str, object]:
    return {
        "schema_version": 1,
        "run": row["run"],
        "command": f"bench run --model {row['model']} --suite {row['suite']}",
        "started": row["started"],
        "git": {"commit": "9f2c1e7a0d5b4c3f8e6a", "dirty": False},
        "suite": {"name": row["suite"], "digest": suite_digest(row["suite"])},
        "card": {
            "name": row["adapter"],
            "revision": 1,
            "checkpoint": row["checkpoint"],
            "checkpoint_digest": row["checkpoint_digest"],
            "prompts": {"category": "<image>\nWhat is in the marked region? Answer with a name."},
            "settings": {"multi_instance": "shared-prefix", "scale": 2, "max_tiles": 6},
            "base_model": None,
        },
        "generation": {"max_new_tokens": 100, "forced_tokens": None},
        "packages": {
            "torch": "2.13.0",
            "transformers": "5.23.0",
            "numpy": "2.4.6",
            "pandas": "3.1.1",
        },
        "hardware": {"cpu": "x86_64, 2 cores", "memory_gb": 24, "gpu": []},
        "seeds": [0, 1],
        "warnings": [],
    }
