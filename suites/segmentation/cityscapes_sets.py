"""Cityscapes val: 19 classes, as semantic maps and in panoptic form."""

from __future__ import annotations

from functools import partial

from suites.segmentation.cards import (
    CITYSCAPES_CITATION,
    CITYSCAPES_LICENCE,
    mask_card,
    panoptic_card,
)
from suites.segmentation.label_rules import LabelRule
from suites.segmentation.sets import Folder, MaskSet, PanopticSet
from suites.vocabularies import load_vocabulary

_SOURCE = "https://www.cityscapes-dataset.com/downloads"
_LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""Label ids of the 19 classes that are evaluated, in the order of train ids."""

_LICENCE_PLATE = 255  # label −1 in 8 bits
_IGNORED = (*(label for label in range(34) if label not in _LABEL_IDS), _LICENCE_PLATE)
_RULE = LabelRule.of(8, _LABEL_IDS, _IGNORED)
_HOMES = (".", "cityscapes")
_MAPS = Folder(
    ("gtFine/val/*/*_gtFine_labelIds.png",),
    "semantic maps",
    f"get gtFine_trainvaltest.zip from {_SOURCE} and unpack it",
)
_PICTURE = "leftImg8bit/val/{folder}/{id}_leftImg8bit.png"
_PICTURES = Folder(
    ("leftImg8bit/val/*/*_leftImg8bit.png",),
    "pictures",
    f"get leftImg8bit_trainvaltest.zip from {_SOURCE} and unpack it beside gtFine",
)

CITYSCAPES = MaskSet(
    card=mask_card(
        "cityscapes",
        "Cityscapes val, 19 classes: name each class's mask.",
        images=500,
        classes=19,
        licence=CITYSCAPES_LICENCE,
        source=_SOURCE,
        citation=CITYSCAPES_CITATION,
    ),
    classes=partial(load_vocabulary, "cityscapes-19"),
    rule=_RULE,
    homes=_HOMES,
    maps=_MAPS,
    ending="_gtFine_labelIds.png",
    picture=_PICTURE,
    pictures=_PICTURES,
)

CITYSCAPES_PANOPTIC = PanopticSet(
    card=panoptic_card(
        "cityscapes-panoptic",
        "Cityscapes val, 8 thing and 11 stuff classes: name each segment; PQ and mIoU.",
        images=500,
        classes=19,
        licence=CITYSCAPES_LICENCE,
        source=_SOURCE,
        citation=CITYSCAPES_CITATION,
    ),
    classes=partial(load_vocabulary, "cityscapes-19"),
    rule=_RULE,
    homes=_HOMES,
    annotations=Folder(
        ("gtFine/cityscapes_panoptic_val.json", "gtFine/cityscapes_panoptic_val_trainId.json"),
        "panoptic annotations",
        "run `bench data prepare cityscapes-panoptic` (it calls cityscapesScripts, extra "
        "'cityscapes'), or `csCreatePanopticImgs --dataset-folder ROOT/gtFine`",
    ),
    category_ids=(_LABEL_IDS, tuple(range(19))),
    semantic="gtFine/val/{folder}/{id}_gtFine_labelIds.png",
    maps=_MAPS,
    picture=_PICTURE,
    pictures=_PICTURES,
    published=(
        Folder(
            ("gtFine/val/*/*_gtFine_instanceIds.png",),
            "instance maps, which the preparation reads",
            f"get gtFine_trainvaltest.zip from {_SOURCE} and unpack it",
        ),
    ),
)
