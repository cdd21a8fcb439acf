"""PACO-LVIS: objects and parts on COCO pictures. Facts only; ``paco_files`` reads the data."""

from __future__ import annotations

from enum import StrEnum

from adapters.interface import Task
from suites.base import ExpectedCounts, SuiteCard
from suites.free_text_metrics import FREE_TEXT_METRICS, MAIN_METRIC, PROTOCOL
from suites.registry import SuiteEntry

SOURCE = "https://github.com/facebookresearch/paco"
SUBSET_SOURCE = "https://huggingface.co/datasets/sunshine-lwt/Osprey-ValData"
ANNOTATIONS_URL = "https://dl.fbaipublicfiles.com/paco/annotations/paco_lvis_v1.zip"
LICENCE = "see the data set's repository; pictures are COCO's, each under its photographer's terms"
CITATION = "Ramanathan et al.: PACO: Parts and Attributes of Common Objects. CVPR 2023"


class Subset(StrEnum):
    """Which regions of PACO-LVIS v1 are asked."""

    VAL = "val"
    TEST = "test"
    ONE_K = "1k"


ENTRY = SuiteEntry(
    name="paco",
    summary="PACO-LVIS v1, objects and object:part: val, test, or the 1K subset papers report.",
    loader="suites.paco_files:load",
    checker="suites.paco_files:check",
    options={
        "root": "folder with annotations/, train2017/ and val2017/",
        "subset": "val (paco_lvis_v1_val.json, default), test, or 1k (paco_val_1k_category.json)",
        "annotations": "annotation file, where it is not below root",
        "images": "folder with train2017/ and val2017/, where they are not below root",
        "rasterizer": "pycocotools (default) or opencv (WOW-Seg's converter)",
    },
    path_options=frozenset({"root", "annotations", "images"}),
    source=SOURCE,
    licence=LICENCE,
)

# Images, and object plus part segments, of docs/PACO_DATASET.md in the data set's repository.
_EXPECTED = {
    "v1-val": ExpectedCounts(images=2_410, regions=10_794 + 20_945, categories=531),
    "v1-test": ExpectedCounts(images=9_443, regions=45_861 + 86_041, categories=531),
    "v1-1k": ExpectedCounts(images=1_000, regions=4_263),
}


def card(edition: str) -> SuiteCard:
    """The card of ``v1-val``, ``v1-test`` or ``v1-1k``."""
    return SuiteCard(
        name="paco",
        version=edition,
        summary=ENTRY.summary,
        task=Task.CATEGORY,
        metrics=FREE_TEXT_METRICS,
        main_metric=MAIN_METRIC,
        protocol=PROTOCOL,
        licence=LICENCE,
        source=SUBSET_SOURCE if edition == "v1-1k" else SOURCE,
        citation=CITATION,
        expected=_EXPECTED.get(edition),
    )
