"""The cards of the segmentation suites: light, for listing them."""

from __future__ import annotations

from adapters.interface import Task
from suites.base import ExpectedCounts, MetricCard, SuiteCard

MASK_PROTOCOL = "maskacc-maskclippp-v1"
MASK_ACCURACY = "mask_accuracy"
MICRO_ACCURACY = "micro_accuracy"
MASK_METRICS = (
    MetricCard(
        MASK_ACCURACY, "Share of a class's masks that get their class, averaged over classes."
    ),
    MetricCard(MICRO_ACCURACY, "Share of all masks that get their class."),
)

PANOPTIC_PROTOCOL = "gtmask-osprey-v1"
MEAN_IOU = "miou"
SEGMENT_ACCURACY = "segment_accuracy"
PANOPTIC_METRICS = (
    MetricCard("pq", "Panoptic quality, averaged over classes."),
    MetricCard("sq", "Segmentation quality: mean IoU of matched segments."),
    MetricCard("rq", "Recognition quality: F1 of matched segments."),
    MetricCard(MEAN_IOU, "Mean intersection over union of classes, pixels of the whole set."),
    MetricCard(SEGMENT_ACCURACY, "Share of segments that get their class."),
)

ADE20K_LICENCE = "pictures for non-commercial research and education only; annotations BSD-3"
CITYSCAPES_LICENCE = "Cityscapes licence: non-commercial research, no redistribution"
COCO_STUFF_LICENCE = (
    "annotations CC BY 4.0; pictures from Flickr, each under its photographer's terms"
)
PASCAL_CONTEXT_LICENCE = "pictures from Flickr, under its terms of use; no licence is stated"

ADE20K_CITATION = (
    "Zhou, Zhao, Puig, Fidler, Barriuso, Torralba: Scene Parsing through ADE20K Dataset. CVPR 2017"
)
CITYSCAPES_CITATION = (
    "Cordts et al.: The Cityscapes Dataset for Semantic Urban Scene Understanding. CVPR 2016"
)
COCO_STUFF_CITATION = "Caesar, Uijlings, Ferrari: COCO-Stuff: Thing and Stuff Classes. CVPR 2018"
PASCAL_CONTEXT_CITATION = (
    "Mottaghi et al.: The Role of Context for Object Detection and Semantic Segmentation in the "
    "Wild. CVPR 2014"
)


def mask_card(
    name: str,
    summary: str,
    *,
    images: int | None,
    classes: int,
    licence: str,
    source: str,
    citation: str,
    show_pictures: bool = False,
) -> SuiteCard:
    """The card of a mask classification suite; ``images`` is what was published."""
    return SuiteCard(
        name=name,
        version="1",
        summary=summary,
        task=Task.CATEGORY,
        metrics=MASK_METRICS,
        main_metric=MASK_ACCURACY,
        protocol=MASK_PROTOCOL,
        licence=licence,
        source=source,
        citation=citation,
        expected=None if images is None else ExpectedCounts(images, categories=classes),
        show_pictures=show_pictures,
    )


def panoptic_card(
    name: str,
    summary: str,
    *,
    images: int | None,
    classes: int,
    licence: str,
    source: str,
    citation: str,
    show_pictures: bool = False,
) -> SuiteCard:
    """The card of a panoptic suite; ``images`` is what was published."""
    return SuiteCard(
        name=name,
        version="1",
        summary=summary,
        task=Task.PHRASE,
        metrics=PANOPTIC_METRICS,
        main_metric="pq",
        protocol=PANOPTIC_PROTOCOL,
        licence=licence,
        source=source,
        citation=citation,
        expected=None if images is None else ExpectedCounts(images, categories=classes),
        show_pictures=show_pictures,
    )
