"""A user's own regions, declared without Python. Facts only; ``regions_json_files`` reads them."""

from __future__ import annotations

from adapters.interface import Task
from suites.base import SuiteCard
from suites.free_text_metrics import FREE_TEXT_METRICS, MAIN_METRIC, PROTOCOL
from suites.registry import SuiteEntry

ENTRY = SuiteEntry(
    name="regions-json",
    summary="Your own regions: pictures, RLE or polygon masks, and labels, from one JSON file.",
    loader="suites.regions_json_files:load",
    checker="suites.regions_json_files:check",
    options={
        "annotations": "JSON file with images and their regions, or a COCO-form instances file",
        "images": "folder with the pictures (default: the annotation file's)",
        "name": "the suite's name on boards (default: as declared in bench.yaml, else the "
        "annotation file's without .json)",
        "rasterizer": "pycocotools (default) or opencv",
    },
    path_options=frozenset({"annotations", "images"}),
    source="your own annotations",
    licence="yours to know",
)


def card(name: str) -> SuiteCard:
    """The card of the user's suite called ``name``."""
    return SuiteCard(
        name=name,
        version="1",
        summary="Regions of a user's own pictures.",
        task=Task.CATEGORY,
        metrics=FREE_TEXT_METRICS,
        main_metric=MAIN_METRIC,
        protocol=PROTOCOL,
        licence=ENTRY.licence,
        source=ENTRY.source,
        citation="",
    )
