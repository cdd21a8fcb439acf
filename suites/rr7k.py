"""RR-7K: regions of SA-1B pictures with 7,662 names. Facts only; ``rr7k_files`` reads the data."""

from __future__ import annotations

from adapters.interface import Task
from suites.base import SuiteCard
from suites.free_text_metrics import FREE_TEXT_METRICS, MAIN_METRIC, PROTOCOL
from suites.registry import SuiteEntry

SOURCE = "https://huggingface.co/datasets/AAwcAA/RR-7K"
PICTURES_SOURCE = "https://ai.meta.com/datasets/segment-anything-downloads/"
LICENCE = (
    "labels: see the data set's page; "
    "pictures and masks: SA-1B research licence, not to be redistributed"
)
CITATION = "Li et al.: WOW-Seg: A Word-free Open World Segmentation Model. ICLR 2026"

ENTRY = SuiteEntry(
    name="rr7k",
    summary="RR-7K: regions of SA-1B pictures with 7,662 different names.",
    loader="suites.rr7k_files:load",
    checker="suites.rr7k_files:check",
    options={
        "annotations": "JSON-lines file, or folder of SA-1B's own sa_<id>.json files",
        "labels": "for SA-1B's files, which have no labels: JSON object, annotation id to label",
        "images": "folder with the pictures (default: the annotations' folder)",
        "rasterizer": "pycocotools (default) or opencv; masks are RLE, so it matters little",
    },
    path_options=frozenset({"annotations", "labels", "images"}),
    source=SOURCE,
    licence=LICENCE,
)


def card(edition: str) -> SuiteCard:
    """The card of ``v1`` (JSON lines) or ``v1-sa1b`` (SA-1B's files with a user's labels)."""
    return SuiteCard(
        name="rr7k",
        version=edition,
        summary=ENTRY.summary,
        task=Task.CATEGORY,
        metrics=FREE_TEXT_METRICS,
        main_metric=MAIN_METRIC,
        protocol=PROTOCOL,
        licence=LICENCE,
        source=SOURCE,
        citation=CITATION,
    )
