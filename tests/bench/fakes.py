"""A model and a suite small enough to reason about, registered like a third party's."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
from numpy.typing import NDArray

from adapters.conformance import Comparison, FixtureError
from adapters.inspection import Finding as Inspected
from adapters.inspection import Inspection, Verdict, planned, weight_bytes
from adapters.interface import (
    RLE,
    AdapterCard,
    Answer,
    CheckpointError,
    FinishReason,
    Generation,
    JsonScalar,
    RegionQuery,
    Task,
)
from adapters.registry import AdapterEntry
from suites.base import (
    DataMissing,
    Finding,
    ImageRecord,
    Level,
    MetricCard,
    Scores,
    Selection,
    Suite,
    SuiteCard,
    TextEncoder,
)
from suites.registry import SuiteEntry

REVISION = 1
NAMES = ("apple", "brick wall", "cup", "dog", "egg")
SIDE = 32

ADAPTER = AdapterEntry(
    name="fake",
    summary="says the brightness of a region's first pixel",
    loader="regionbench_fakes:load_model",
    tasks=(Task.CATEGORY,),
    settings={
        "tone": "prefix of every answer",
        "context": "whether answers depend on the query's other regions",
        "fails_on": "image id it fails on",
        "delay_ms": "time a query takes; changes no answer",
    },
    inspector="regionbench_fakes:inspect_model",
    certifier="regionbench_fakes:certify_model",
    fixtures="fake",
)
SUITE = SuiteEntry(
    name="fakes",
    summary="coloured rectangles",
    loader="regionbench_fakes:load_suite",
    checker="regionbench_fakes:check_suite",
    options={"root": "folder of pictures", "images": "how many"},
    path_options=frozenset({"root"}),
)


class FakeModel:
    """Answers with the colour under the mask, so that content, not position, decides."""

    def __init__(self, checkpoint: str, settings: dict[str, JsonScalar]) -> None:
        self._fails_on = settings.pop("fails_on", None)
        self._delay = float(str(settings.pop("delay_ms", 0))) / 1000
        context = bool(settings.get("context", False))
        self._tone = str(settings.get("tone", ""))
        self.card = AdapterCard(
            name="fake",
            revision=REVISION,
            checkpoint=checkpoint,
            checkpoint_digest=hashlib.sha256(checkpoint.encode()).hexdigest(),
            parameters=7,
            dtype="float32",
            device="cpu",
            prompts={Task.CATEGORY: "What is it?"},
            settings=settings,
            context_dependent=context,
        )

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        if any(query.image_id == self._fails_on for query in queries):
            raise RuntimeError("out of paint")
        _log_questions(queries)
        time.sleep(self._delay * len(queries))
        return [[self._answer(query, mask) for mask in query.masks] for query in queries]

    def _answer(self, query: RegionQuery, mask: RLE) -> Answer:
        from pycocotools import mask as coco

        inside = coco.decode({"size": mask.size, "counts": mask.counts}) > 0
        token = int(np.asarray(query.image)[inside][0, 0])
        return Answer.generated(
            f"{self._tone}{NAMES[token % len(NAMES)]}", (token,), FinishReason.STOP, 3
        )


def _log_questions(queries: Sequence[RegionQuery]) -> None:
    if path := os.environ.get("FAKE_QUESTIONS"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(f"{region}\n" for query in queries for region in query.region_ids)


def load_model(
    checkpoint: str | Path | None,
    *,
    preset: str | None,
    device: str,
    dtype: str,
    revision: str | None,
    seed: int,
    **settings: JsonScalar,
) -> FakeModel:
    if checkpoint is None:
        raise CheckpointError("adapter 'fake' needs a checkpoint")
    return FakeModel(Path(checkpoint).name, dict(settings))


def inspect_model(
    checkpoint: str | Path, *, revision: str | None = None, **settings: JsonScalar
) -> Inspection:
    """Complete, unless the checkpoint is called ``broken``."""
    verdict = Verdict.DAMAGED if checkpoint == "broken" else Verdict.OK
    return Inspection(
        adapter="fake",
        checkpoint=str(checkpoint),
        findings=(Inspected("paint", verdict, f"revision {revision}", "paint it anew"),),
        parameters=7,
        bytes_by_dtype=weight_bytes(7),
        plan=planned({Task.CATEGORY: "What is it?"}, settings, None),
    )


def certify_model(folder: Path) -> Iterator[Comparison]:
    """The comparisons written in ``differences.json``; the stage ``fall`` is a fault instead."""
    path = folder / "differences.json"
    if not path.is_file():
        raise FixtureError(f"golden fixture {folder}: no differences.json")
    for stage, case, difference, tolerance in json.loads(path.read_text()):
        if stage == "fall":
            raise RuntimeError("out of paint")
        yield Comparison(stage, case, float(difference), tolerance)


class FakeSuite(Suite):
    """``images`` pictures of two to four rectangles each."""

    card = SuiteCard(
        name="fakes",
        version="1",
        summary="coloured rectangles",
        task=Task.CATEGORY,
        metrics=(MetricCard("semantic_similarity", "likeness of meaning"),),
        main_metric="semantic_similarity",
        protocol="wowseg-v1",
        licence="none",
        source="tests",
        citation="",
    )
    generation = Generation(max_new_tokens=5)

    def __init__(self, root: Path, images: int) -> None:
        self._root, self._images = root, images
        self.digest = hashlib.sha256(f"fakes {images}".encode()).hexdigest()

    def __len__(self) -> int:
        return self._images

    def record(self, index: int) -> ImageRecord:
        image_id = f"{index:04d}"
        regions = range(2 + index % 3)
        return ImageRecord(
            image_id=image_id,
            path=self._root / f"{image_id}.png",
            width=SIDE,
            height=SIDE,
            region_ids=tuple(f"{image_id}/{number}" for number in regions),
            masks=tuple(_stripe(number) for number in regions),
            boxes=None,
            labels=tuple(NAMES[brightness(index, n) % len(NAMES)] for n in regions),
        )

    def references(self, selection: Selection) -> pd.DataFrame:
        records = [self.record(i) for i in range(selection.count(self._images))]
        rows = [
            (region, record.image_id, label)
            for record in records
            for region, label in zip(record.region_ids, record.labels, strict=True)
        ]
        return pd.DataFrame(rows, columns=["region_id", "image_id", "category"], dtype="str")

    def score(
        self,
        answers: pd.DataFrame,
        encoder: TextEncoder,
        *,
        selection: Selection,
        resamples: int = 1000,
        seed: int = 0,
    ) -> Scores:
        from suites.protocols.free_text import score_free_text

        return score_free_text(
            self.references(selection), answers, encoder, resamples=resamples, seed=seed
        )


def brightness(index: int, number: int) -> int:
    return (index * 7 + number * 31) % 256


def _stripe(number: int) -> RLE:
    from pycocotools import mask as coco

    mask = np.zeros((SIDE, SIDE), dtype=np.uint8, order="F")
    mask[number * 8 : number * 8 + 8] = 1
    return RLE((SIDE, SIDE), coco.encode(mask)["counts"].decode("ascii"))


def paint(root: Path, images: int) -> None:
    """Draw the suite's pictures."""
    root.mkdir(parents=True, exist_ok=True)
    for index in range(images):
        rows = np.repeat([brightness(index, number) for number in range(4)], 8).astype(np.uint8)
        pixels = np.broadcast_to(rows[:, None, None], (SIDE, SIDE, 3))
        PIL.Image.fromarray(np.ascontiguousarray(pixels)).save(root / f"{index:04d}.png")


def load_suite(*, cache: Path, root: str, images: int = 10) -> FakeSuite:
    if not Path(root).is_dir():
        raise DataMissing(f"pictures {root} are not there; paint them")
    return FakeSuite(Path(root), images)


def check_suite(*, root: str, images: int = 10) -> list[Finding]:
    if Path(root).is_dir():
        return [Finding(Level.OK, "pictures", f"{images} expected")]
    return [Finding(Level.MISSING, "pictures", f"{root} is not there", "paint them")]


@dataclass(frozen=True)
class FakeEncoder:
    """Embeds a text by its digest: equal texts are one, all others are nearly orthogonal."""

    name: str = "fake-encoder"
    revision: str | None = None
    source: str = "tests"
    digest: str = "ab" * 32

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        digests = b"".join(hashlib.sha256(text.encode()).digest() for text in texts)
        rows = np.frombuffer(digests, dtype=np.uint8).reshape(len(texts), 32) - np.float32(127.5)
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit
