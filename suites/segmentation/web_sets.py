"""COCO-Stuff and PASCAL Context: sets of semantic maps on pictures from the web."""

from __future__ import annotations

from functools import partial

from suites.segmentation.cards import (
    COCO_STUFF_CITATION,
    COCO_STUFF_LICENCE,
    PASCAL_CONTEXT_CITATION,
    PASCAL_CONTEXT_LICENCE,
    mask_card,
)
from suites.segmentation.label_rules import IGNORE, LabelRule
from suites.segmentation.sets import Folder, MaskSet
from suites.vocabularies import load_vocabulary

_COCO_SOURCE = "https://github.com/nightrome/cocostuff"
_COCO_UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)
"""Category ids that COCO numbers but does not annotate."""

COCO_STUFF = MaskSet(
    card=mask_card(
        "coco-stuff",
        "COCO-Stuff val2017, 171 classes: name each class's mask.",
        images=5_000,
        classes=171,
        licence=COCO_STUFF_LICENCE,
        source=_COCO_SOURCE,
        citation=COCO_STUFF_CITATION,
    ),
    classes=partial(load_vocabulary, "coco-stuff-171"),
    rule=LabelRule.of(8, (i - 1 for i in range(1, 183) if i not in _COCO_UNUSED), (255,)),
    homes=(".", "coco"),
    maps=Folder(
        ("stuffthingmaps/val2017/*.png",),
        "semantic maps",
        "get http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset/"
        "stuffthingmaps_trainval2017.zip and unpack it in stuffthingmaps",
    ),
    ending=".png",
    picture="val2017/{id}.jpg",
    pictures=Folder(
        ("val2017/*.jpg",),
        "pictures",
        "get http://images.cocodataset.org/zips/val2017.zip and unpack it beside stuffthingmaps",
    ),
)

_CONTEXT_SOURCE = "https://www.cs.stanford.edu/~roozbeh/pascal-context"
VOC_REMEDY = (
    "get http://host.robots.ox.ac.uk/pascal/VOC/voc2010/VOCtrainval_03-May-2010.tar and unpack it"
)
_VOC_HOMES = ("VOCdevkit/VOC2010", "VOC2010", ".")
CONTEXT_HOME = "pascal_ctx_d2"
CONTEXT_LABELS = Folder(
    tuple(f"{home}/trainval/*.mat" for home in _VOC_HOMES),
    "annotations as published, which the preparation reads",
    f"get {_CONTEXT_SOURCE}/trainval.tar.gz and unpack it in VOCdevkit/VOC2010",
)
CONTEXT_SPLIT = Folder(
    tuple(f"{home}/ImageSets/Main/val.txt" for home in _VOC_HOMES),
    "lists of val images, which the preparation reads",
    VOC_REMEDY,
)

PASCAL_CONTEXT_459 = MaskSet(
    card=mask_card(
        "pascal-context-459",
        "PASCAL Context val, 459 classes: name each class's mask.",
        images=5_105,
        classes=459,
        licence=PASCAL_CONTEXT_LICENCE,
        source=_CONTEXT_SOURCE,
        citation=PASCAL_CONTEXT_CITATION,
    ),
    classes=partial(load_vocabulary, "pascal-context-459"),
    rule=LabelRule.of(16, range(459), (IGNORE,)),
    homes=(".", CONTEXT_HOME),
    maps=Folder(
        ("annotations_ctx459/validation/*.tif",),
        "16-bit semantic maps",
        "run `bench data prepare pascal-context-459`",
    ),
    ending=".tif",
    picture="images/validation/{id}.jpg",
    pictures=Folder(
        ("images/validation/*.jpg", *(f"{home}/JPEGImages/*.jpg" for home in _VOC_HOMES)),
        "pictures",
        VOC_REMEDY,
    ),
    published=(CONTEXT_LABELS, CONTEXT_SPLIT),
)
