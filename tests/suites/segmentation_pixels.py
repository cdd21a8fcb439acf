"""Random panoptic pictures, and the general way to score them: pixel by pixel."""

from __future__ import annotations

import numpy as np

from metrics.mean_iou import PixelCounts
from metrics.mean_iou import count_maps as count_pixel_maps
from metrics.panoptic import PanopticCounts
from metrics.panoptic import count_maps as count_segment_maps
from metrics.segment_tables import Segments
from suites.vocabularies import load_vocabulary
from tests.suites.segmentation_files import BED, BUILDING, CAR, PERSON, SKY, VOID, WALL, Panoptic

VOCABULARY = load_vocabulary("ade20k-150")
LABELS = VOCABULARY.labels
THINGS = VOCABULARY.thing_flags()


def random_image(generator: np.random.Generator) -> Panoptic:
    blocks = generator.integers(0, 8, (4, 4))
    ids = np.kron(blocks, np.ones((2, 3), np.int64)).astype(np.int64)
    shown = [int(label) for label in np.unique(ids) if label]
    classes = {label: int(generator.choice([WALL, SKY, BED, PERSON, CAR])) for label in shown}
    things = [label for label, klass in classes.items() if THINGS[klass]]
    crowd = [label for label in things if generator.random() < 0.2]
    semantic = Panoptic.of(ids, classes).semantic
    noise = generator.random(ids.shape)
    semantic = np.where(noise < 0.1, VOID, np.where(noise > 0.9, BUILDING, semantic))
    # As if some pixels of every third segment had been drawn over.
    areas = {label: int(np.count_nonzero(ids == label)) + 4 for label in shown[::3]}
    return Panoptic(ids, semantic, classes, crowd, areas)


def pixel_counts(
    images: dict[str, Panoptic], texts: dict[str, str]
) -> tuple[PanopticCounts, PixelCounts]:
    """The general way: draw the predicted maps and compare them pixel by pixel."""
    matches, pixels = [], []
    for name, image in images.items():
        predicted = np.zeros_like(image.ids)
        classes: dict[int, int] = {}
        for label in np.intersect1d(list(image.classes), image.ids).tolist():
            klass = LABELS.index(texts[f"{name}/{label:08d}"])
            drawn = label if THINGS[klass] else 1000 + klass
            classes[drawn] = klass
            predicted[image.ids == label] = drawn
        truth = Segments.of(
            list(image.classes),
            list(image.classes.values()),
            [label in image.crowd for label in image.classes],
            [segment["area"] for segment in image.segments()],
        )
        segments = Segments.of(list(classes), list(classes.values()))
        matches.append(
            count_segment_maps(image.ids, truth, predicted, segments, classes=len(LABELS))
        )
        pixels.append(
            count_pixel_maps(
                image.semantic,
                predicted,
                segments.ids,
                segments.classes,
                classes=len(LABELS),
                ignore=VOID,
            )
        )
    return PanopticCounts.join(matches), PixelCounts.join(pixels)
