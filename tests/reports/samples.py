"""Synthetic pictures, and runs with every kind of region, for the sample browser's tests."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image

from reports.data_scripts import CALL
from reports.frames import Board, Picture, SuitePictures
from tests.reports import boards

PROTOCOL = boards.PROTOCOLS[0]
MAIN = f"{boards.METRICS[0]}/{PROTOCOL}"
COLORS = ("red", "green", "blue")


def pictures(made: boards.Made, *, shown: bool = True, note: str = "") -> SuitePictures:
    """A picture of 160×120 for every image of the run, its regions side by side."""
    regions = made.page.regions

    def load() -> Iterator[Picture]:
        for image_id, own in regions.groupby("image_id"):
            outlines = {
                region: f"M0 0m{100 + 200 * at} 300l150 0 0 400-150 0z"
                for at, region in enumerate(own["region_id"])
            }
            yield Picture(
                str(image_id), 160, 120, _jpeg(str(image_id)) if shown else None, outlines
            )

    digest = boards.suite_digest(made.row["suite"])
    images = regions["image_id"].nunique()
    return SuitePictures(digest, f"{digest}{shown}{note}", "CC BY 4.0", note, images, load)


def classed(model: str, *, seed: int = 0, right: float = 0.7) -> boards.Made:
    """A run of a closed vocabulary: 60 regions of three classes, some of which went wrong."""
    made = boards.run(model, suite="classes", images=1)
    random = np.random.default_rng([seed, len(model)])
    truth = [COLORS[at % 3] for at in range(60)]
    named = [c if random.random() < right else str(random.choice(COLORS)) for c in truth]
    statuses = ["answered"] * 56 + ["errored", "missing", "empty", "unanswerable"]
    named[56:] = [""] * 4
    score = [float(t == n) for t, n in zip(truth, named, strict=True)]
    score[56:58] = [float("nan")] * 2
    regions = pd.DataFrame(
        {
            "region_id": [f"{at // 4:03d}/{at:04d}" for at in range(60)],
            "image_id": [f"{at // 4:03d}" for at in range(60)],
            "category": truth,
            "reference": truth,
            "text": [f"a {name} thing" if name else "" for name in named],
            "status": statuses,
            "predicted": named,
            MAIN: score,
        }
    ).astype({"predicted": object, "text": object})
    page = dataclasses.replace(made.page, regions=regions)
    row = {**made.row, "expected": 60, "answered": 56, "full": True}
    return boards.Made(row, made.scores, page)


def board(made: list[boards.Made], *sources: SuitePictures) -> Board:
    """The board of these runs with their pictures."""
    return dataclasses.replace(boards.board(made), pictures=sources)


def read_script(data: bytes) -> Any:
    """The content of a data script."""
    text = data.decode("ascii")
    return json.loads(text.removeprefix(f"{CALL}(").removesuffix(");\n"))


def _jpeg(image_id: str) -> bytes:
    shade = sum(image_id.encode()) * 37 % 200
    target = io.BytesIO()
    PIL.Image.new("RGB", (160, 120), (shade, 255 - shade, 120)).save(target, "JPEG")
    return target.getvalue()
