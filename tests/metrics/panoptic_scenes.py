"""Panoptic maps and their segments, from goldens and generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from metrics.segment_tables import NO_CLASS, VOID, Segments

CLASSES = 6
THINGS = np.array([True, True, True, False, False, False])


def read_ids(path: Path) -> NDArray[np.int64]:
    """Segment ids of a panoptic PNG: R + 256 G + 65536 B."""
    rgb = np.asarray(Image.open(path).convert("RGB")).astype(np.int64)
    return rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]


def write_ids(path: Path, ids: NDArray[np.int64]) -> None:
    rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1)
    Image.fromarray(rgb.astype(np.uint8)).save(path)


def listed(segments: Sequence[Mapping[str, Any]], *, first_category: int) -> Segments:
    """The segments of a COCO panoptic annotation, with its areas where it lists them."""
    areas = [segment["area"] for segment in segments if "area" in segment]
    return Segments.of(
        [segment["id"] for segment in segments],
        [segment["category_id"] - first_category for segment in segments],
        [bool(segment.get("iscrowd", 0)) for segment in segments],
        areas if len(areas) == len(segments) else None,
    )


@dataclass(frozen=True)
class Scene:
    """One image: asked segments with the classes answered, and both ground truths."""

    segment_map: NDArray[np.int64]
    segment_ids: NDArray[np.int64]
    answered: NDArray[np.intp]
    truth_map: NDArray[np.int64]
    truth: Segments
    class_map: NDArray[np.int64]  # with 255 to ignore


def _blocks(draw: st.DrawFn, shape: tuple[int, int], labels: int) -> NDArray[np.intp]:
    """Overlapping rectangles of 0 … labels − 1, sprinkled with single pixels."""
    area = np.zeros(shape, np.intp)
    for _ in range(draw(st.integers(0, 8))):
        top, left = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
        height, width = draw(st.integers(1, shape[0])), draw(st.integers(1, shape[1]))
        area[top : top + height, left : left + width] = draw(st.integers(0, labels - 1))
    return area


@st.composite
def scenes(draw: st.DrawFn, *, crowds_of_a_class: int = 3) -> Scene:
    """Scenes with void, crowd, absent, unlisted and unanswered segments.

    The asked segments are the ground truth's own half of the time, another map's otherwise; half
    of the time areas are listed, some larger than in the map.
    """
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    labels = draw(st.lists(st.integers(1, 256**3 - 1), min_size=1, max_size=6, unique=True))
    ids = np.array([VOID, *labels])
    truth_map = ids[_blocks(draw, shape, len(ids))]
    segment_map = truth_map if draw(st.booleans()) else ids[_blocks(draw, shape, len(ids))]

    true_ids = draw(st.permutations(labels))[: len(labels) - draw(st.integers(0, 2))]
    classes = [draw(st.integers(0, CLASSES - 1)) for _ in true_ids]
    crowd: list[bool] = []
    for row, klass in enumerate(classes):
        others = sum(c for c, k in zip(crowd, classes[:row], strict=True) if k == klass)
        crowd.append(others < crowds_of_a_class and draw(st.booleans()))

    areas = None
    if draw(st.booleans()):
        shown = [int(np.count_nonzero(truth_map == label)) for label in true_ids]
        areas = [area + draw(st.integers(0, 9)) for area in shown]

    asked = draw(st.permutations(labels))[: len(labels) - draw(st.integers(0, 2))]
    near = dict(zip(true_ids, classes, strict=True))
    # Right half of the time, so that matches are common; no class often enough to matter.
    answered = [
        draw(st.sampled_from([near.get(label, NO_CLASS)] * CLASSES + [NO_CLASS, *range(CLASSES)]))
        for label in asked
    ]
    class_map = _blocks(draw, shape, CLASSES + 1)
    return Scene(
        segment_map=segment_map,
        segment_ids=np.array(asked, np.int64),
        answered=np.array(answered, np.intp),
        truth_map=truth_map,
        truth=Segments.of(true_ids, classes, crowd, areas),
        class_map=np.where(class_map == CLASSES, 255, class_map),
    )


def painted(scene: Scene) -> tuple[NDArray[np.int64], Segments]:
    """The predicted panoptic map of the answers: stuff of equal class painted as one."""
    predicted_map = np.zeros_like(scene.segment_map)
    stuff: dict[int, int] = {}
    ids: list[int] = []
    classes: list[int] = []
    for label, klass in zip(scene.segment_ids.tolist(), scene.answered.tolist(), strict=True):
        mask = scene.segment_map == label
        if klass == NO_CLASS or not mask.any():
            continue
        identifier = len(ids) + 1 if THINGS[klass] else stuff.get(klass, len(ids) + 1)
        predicted_map[mask] = identifier
        if identifier > len(ids):
            ids.append(identifier)
            classes.append(klass)
            if not THINGS[klass]:
                stuff[klass] = identifier
    return predicted_map, Segments.of(ids, classes)
