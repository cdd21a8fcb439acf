"""Task families: the runs whose columns stand on one page, by what their suites measure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

HEADLINE_METRICS = ("semantic_similarity", "semantic_iou")
"""Metrics shown beside a suite's main one."""

_TITLES = {
    "lvis": "LVIS",
    "paco": "PACO",
    "rr7k": "RR-7K",
    "cityscapes-panoptic": "Cityscapes panoptic",
    "ade20k-panoptic": "ADE20K panoptic",
    "ade847": "ADE-847",
    "pascal-context-459": "PASCAL Context-459",
    "ade150": "ADE-150",
    "coco-stuff": "COCO-Stuff",
    "cityscapes": "Cityscapes",
}


class _Measured(Protocol):
    """What of a run decides its family."""

    @property
    def suite(self) -> str: ...

    @property
    def main_metric(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Family:
    """Suites of one task, compared side by side.

    ``suites`` are those the field reports, in column order; others of the task follow them.
    A suite is of the task when its main metric is one of ``main_metrics``; those of ``metrics``
    are shown, the suite's own main one first. ``points`` says what its numbers are of.
    """

    key: str
    title: str
    summary: str
    points: str
    suites: tuple[str, ...]
    main_metrics: tuple[str, ...]
    metrics: tuple[str, ...]

    def column_order(self, suite: str) -> tuple[int, str]:
        """Where the suite's columns stand: known suites first."""
        known = suite in self.suites
        return self.suites.index(suite) if known else len(self.suites), suite


TASKS = (
    Family(
        key="region-recognition",
        title="Region recognition",
        summary="A free-text name for the mask of an object or of one of its parts.",
        points="A mean over regions; every region of the suite is in the denominator: an empty "
        "answer scores as the empty text, an unanswerable region 0.",
        suites=("lvis", "paco", "rr7k"),
        main_metrics=("semantic_similarity", "semantic_iou"),
        metrics=("semantic_similarity", "semantic_iou"),
    ),
    Family(
        key="segmentation",
        title="Panoptic and semantic segmentation",
        summary="A class for every ground-truth segment, from the text the model gave it.",
        points="A mean over classes: panoptic quality of segments, mean IoU of pixels. A segment "
        "without a class is predicted nothing: its true class misses it. An empty answer is "
        "matched with the classes like any other text.",
        suites=("cityscapes-panoptic", "ade20k-panoptic"),
        main_metrics=("pq",),
        metrics=("pq", "miou"),
    ),
    Family(
        key="mask-classification",
        title="Mask classification",
        summary="A class for all pixels of it in an image, from the text the model gave them.",
        points="Per class the share of its masks that were named right, then the mean over the "
        "classes that occur. An empty answer is matched with the classes like any other text; a "
        "mask without a class is wrong.",
        suites=("ade847", "pascal-context-459", "ade150", "coco-stuff", "cityscapes"),
        main_metrics=("mask_accuracy",),
        metrics=("mask_accuracy",),
    ),
)


def family_of(run: _Measured) -> Family:
    """The family of a run's task; a suite with another main metric is one by itself."""
    for task in TASKS:
        if run.main_metric in task.main_metrics:
            return task
    return Family(
        f"suite-{run.suite}",
        suite_title(run.suite),
        "",
        "What its suite scores and counts; every region of it is asked about.",
        (run.suite,),
        (run.main_metric,),
        (run.main_metric, *HEADLINE_METRICS),
    )


def families(runs: Iterable[_Measured]) -> list[Family]:
    """The families with runs, then the other tasks: there is something published about them."""
    found = {family.key: family for run in runs for family in [family_of(run)]}
    tasks = {task.key for task in TASKS}
    own = sorted((family for key, family in found.items() if key not in tasks), key=lambda f: f.key)
    return [
        *(task for task in TASKS if task.key in found),
        *own,
        *(task for task in TASKS if task.key not in found),
    ]


def suite_title(suite: str) -> str:
    """A suite's name as papers write it."""
    return _TITLES.get(suite, suite)
