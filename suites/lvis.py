"""LVIS: large-vocabulary regions on COCO pictures. Facts only; ``lvis_files`` reads the data."""

from __future__ import annotations

from enum import StrEnum

from adapters.interface import Task
from suites.base import ExpectedCounts, SuiteCard
from suites.free_text_metrics import FREE_TEXT_METRICS, MAIN_METRIC, PROTOCOL, SYNONYM_MATCH
from suites.registry import SuiteEntry

SOURCE = "https://www.lvisdataset.org/dataset"
SUBSET_SOURCE = "https://huggingface.co/datasets/sunshine-lwt/Osprey-ValData"
ANNOTATIONS_URL = "https://dl.fbaipublicfiles.com/LVIS/lvis_v1_val.json.zip"
LICENCE = "annotations CC BY 4.0; pictures from Flickr, each under its photographer's terms"
CITATION = (
    "Gupta, Dollár, Girshick: LVIS: A Dataset for Large Vocabulary Instance Segmentation. CVPR 2019"
)


class Subset(StrEnum):
    """Which regions of LVIS val are asked."""

    FULL = "full"
    ONE_K = "1k"


ENTRY = SuiteEntry(
    name="lvis",
    summary="LVIS val on COCO pictures: all regions, or the 1K subset papers report.",
    loader="suites.lvis_files:load",
    checker="suites.lvis_files:check",
    options={
        "root": "folder with annotations/, train2017/ and val2017/",
        "subset": "full (lvis_v1_val.json, default) or 1k (lvis_val_1k_category.json)",
        "annotations": "annotation file, where it is not below root",
        "images": "folder with train2017/ and val2017/, where they are not below root",
        "categories": "for 1k: file with LVIS v1's categories, for frequency groups and synonyms",
        "rasterizer": "pycocotools (default) or opencv (WOW-Seg's converter)",
    },
    path_options=frozenset({"root", "annotations", "images", "categories"}),
    source=SOURCE,
    licence=LICENCE,
)

_EXPECTED = {
    "v1": ExpectedCounts(images=19_809, regions=244_707, categories=1_203),
    "v1-1k": ExpectedCounts(images=1_000, regions=4_004),
}


def card(edition: str) -> SuiteCard:
    """The card of ``v1``, ``v0.5``, ``v1-1k``, or ``custom`` (neither release's categories)."""
    return SuiteCard(
        name="lvis",
        version=edition,
        summary=ENTRY.summary,
        task=Task.CATEGORY,
        metrics=(*FREE_TEXT_METRICS, SYNONYM_MATCH),
        main_metric=MAIN_METRIC,
        protocol=PROTOCOL,
        licence=LICENCE,
        source=SUBSET_SOURCE if edition == "v1-1k" else SOURCE,
        citation=CITATION,
        expected=_EXPECTED.get(edition),
    )
