"""The segmentation suites' entries, which the project's entry points name."""

from __future__ import annotations

from suites.base import SuiteCard
from suites.registry import SuiteEntry
from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC as _ADE20K_PANOPTIC
from suites.segmentation.ade20k_sets import ADE150 as _ADE150
from suites.segmentation.ade20k_sets import ADE847 as _ADE847
from suites.segmentation.cityscapes_sets import CITYSCAPES as _CITYSCAPES
from suites.segmentation.cityscapes_sets import CITYSCAPES_PANOPTIC as _CITYSCAPES_PANOPTIC
from suites.segmentation.web_sets import COCO_STUFF as _COCO_STUFF
from suites.segmentation.web_sets import PASCAL_CONTEXT_459 as _PASCAL_CONTEXT_459

NAMING_OPTIONS = {
    "vocabulary": "the classes' names: a file with the same class ids (default: the set's own)",
    "template": "sentence around a name, with {} (default: There is a {} in the scene.)",
}


def _entry(card: SuiteCard, root: str, preparer: str | None = None) -> SuiteEntry:
    function = card.name.replace("-", "_")
    return SuiteEntry(
        name=card.name,
        summary=card.summary,
        loader=f"suites.segmentation.loaders:load_{function}",
        checker=f"suites.segmentation.loaders:check_{function}",
        options={"root": root, **NAMING_OPTIONS},
        path_options=frozenset({"root", "vocabulary"}),
        source=card.source,
        licence=card.licence,
        preparer=None if preparer is None else f"suites.segmentation.prepare.{preparer}:prepare",
    )


_CHALLENGE_ROOT = "ADEChallengeData2016, or the folder that holds it"
_CITYSCAPES_ROOT = "folder with gtFine/ and leftImg8bit/"

ADE150 = _entry(_ADE150.card, _CHALLENGE_ROOT)
ADE847 = _entry(_ADE847.card, "ADE20K_2021_17_01, or the folder that holds it", "ade20k_full")
ADE20K_PANOPTIC = _entry(_ADE20K_PANOPTIC.card, _CHALLENGE_ROOT, "ade20k_panoptic")
CITYSCAPES = _entry(_CITYSCAPES.card, _CITYSCAPES_ROOT)
CITYSCAPES_PANOPTIC = _entry(_CITYSCAPES_PANOPTIC.card, _CITYSCAPES_ROOT, "cityscapes")
COCO_STUFF = _entry(_COCO_STUFF.card, "folder with stuffthingmaps/val2017/ and val2017/")
PASCAL_CONTEXT_459 = _entry(
    _PASCAL_CONTEXT_459.card, "folder with VOCdevkit/VOC2010/ and pascal_ctx_d2/", "pascal_context"
)
