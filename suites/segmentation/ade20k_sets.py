"""ADE20K: the 150 classes of the scene parsing challenge, and 847 of the full release."""

from __future__ import annotations

from functools import partial

from suites.segmentation.cards import (
    ADE20K_CITATION,
    ADE20K_LICENCE,
    mask_card,
    panoptic_card,
)
from suites.segmentation.label_rules import IGNORE, LabelRule
from suites.segmentation.sets import Folder, MaskSet, PanopticSet, Preparation
from suites.vocabularies import load_vocabulary

CHALLENGE = "ADEChallengeData2016"
FULL_RELEASE = "ADE20K_2021_17_01"
CHALLENGE_URL = (
    "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip and unpack it"
)
_SOURCE = "http://sceneparsing.csail.mit.edu"
_FULL_SOURCE = "https://ade20k.csail.mit.edu"
_RULE = LabelRule.of(8, range(1, 151), (0,))
_MAPS = Folder(("annotations/validation/*.png",), "semantic maps", f"get {CHALLENGE_URL}")
_PICTURES = Folder(("images/validation/*.jpg",), "pictures", f"get {CHALLENGE_URL}")

INSTANCES = Folder(
    ("annotations_instance/validation/*.png",),
    "instance maps, which the preparation reads",
    "get http://sceneparsing.csail.mit.edu/data/ChallengeData2017/annotations_instance.tar and "
    f"unpack it in {CHALLENGE}",
)
FULL_MAPS = Folder(
    ("images/ADE/validation/**/*_seg.png",),
    "label pictures of the full release, which the preparation reads",
    f"register at {_FULL_SOURCE}, get the full dataset ({FULL_RELEASE}) and unpack it",
)

ADE150 = MaskSet(
    card=mask_card(
        "ade150",
        "ADE20K val, 150 classes: name each class's mask.",
        images=2_000,
        classes=150,
        licence=ADE20K_LICENCE,
        source=_SOURCE,
        citation=ADE20K_CITATION,
    ),
    classes=partial(load_vocabulary, "ade20k-150"),
    rule=_RULE,
    homes=(".", CHALLENGE),
    maps=_MAPS,
    ending=".png",
    picture="images/validation/{id}.jpg",
    pictures=_PICTURES,
)

ADE847_PREPARATION = Preparation(
    note="images_detectron2/preparation.json",
    version=2,
    earlier="whose grey levels were more than a third of the time one too low",
)

ADE847 = MaskSet(
    card=mask_card(
        "ade847",
        "ADE20K val, 847 classes of the full release: name each class's mask.",
        images=2_000,
        classes=847,
        licence=ADE20K_LICENCE,
        source=_FULL_SOURCE,
        citation=ADE20K_CITATION,
    ),
    classes=partial(load_vocabulary, "ade20k-847"),
    rule=LabelRule.of(16, range(847), (IGNORE,)),
    homes=(".", FULL_RELEASE),
    maps=Folder(
        ("annotations_detectron2/validation/*.tif",),
        "16-bit semantic maps",
        "run `bench data prepare ade847`",
    ),
    ending=".tif",
    picture="images_detectron2/validation/{id}.jpg",
    pictures=Folder(
        ("images_detectron2/validation/*.jpg",),
        "pictures at the size of the maps",
        "run `bench data prepare ade847`",
    ),
    published=(FULL_MAPS,),
    preparation=ADE847_PREPARATION,
)

ADE20K_PANOPTIC = PanopticSet(
    card=panoptic_card(
        "ade20k-panoptic",
        "ADE20K val, 100 thing and 50 stuff classes: name each segment; PQ and mIoU.",
        images=2_000,
        classes=150,
        licence=ADE20K_LICENCE,
        source=_SOURCE,
        citation=ADE20K_CITATION,
    ),
    classes=partial(load_vocabulary, "ade20k-150"),
    rule=_RULE,
    homes=(".", CHALLENGE),
    annotations=Folder(
        ("ade20k_panoptic_val.json",),
        "panoptic annotations",
        "run `bench data prepare ade20k-panoptic`",
    ),
    category_ids=(tuple(range(150)),),
    semantic="annotations/validation/{id}.png",
    maps=_MAPS,
    picture="images/validation/{id}.jpg",
    pictures=_PICTURES,
    published=(INSTANCES,),
)
