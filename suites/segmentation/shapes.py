"""Generated shapes as segmentation sets: nothing to download. ``shapes_files`` makes them."""

from __future__ import annotations

from dataclasses import replace

from adapters.interface import Task
from suites.registry import SuiteEntry
from suites.segmentation.cards import mask_card, panoptic_card
from suites.segmentation.label_rules import LabelRule
from suites.segmentation.sets import Folder, MaskSet, PanopticSet
from suites.shapes import ENTRY as _SHAPES
from suites.shapes.vocabulary import NAMES
from suites.vocabularies import Vocabulary

STUFF_SHAPES = ("cross", "square")
"""Shapes that play the part of stuff: two with one name would be one segment."""

_MAPS = Folder(("annotations/*.png",), "semantic maps", "delete the folder")
_PICTURES = Folder(("images/*.png",), "pictures", "delete the folder")
_RULE = LabelRule.of(8, range(1, len(NAMES) + 1), (0,))


def classes() -> Vocabulary:
    """Every name of a shape as a class of its own."""
    return Vocabulary(
        name="shapes",
        ids=tuple(range(1, len(NAMES) + 1)),
        synonyms=tuple((name,) for name in NAMES),
        things=tuple(not name.endswith(STUFF_SHAPES) for name in NAMES),
        source=_SHAPES.source,
    )


MASKS = MaskSet(
    card=mask_card(
        "shapes-masks",
        "Generated scenes of shapes: name each class's mask.",
        images=None,
        classes=len(NAMES),
        licence=_SHAPES.licence,
        source=_SHAPES.source,
        citation="",
        show_pictures=True,
    ),
    classes=classes,
    rule=_RULE,
    homes=(".",),
    maps=_MAPS,
    ending=".png",
    picture="images/{id}.png",
    pictures=_PICTURES,
)

_PANOPTIC_CARD = panoptic_card(
    "shapes-panoptic",
    "Generated scenes of shapes, things and stuff, void and crowd: PQ and mIoU.",
    images=None,
    classes=len(NAMES),
    licence=_SHAPES.licence,
    source=_SHAPES.source,
    citation="",
    show_pictures=True,
)

PANOPTIC = PanopticSet(
    # The bundled checkpoints were trained with the prompt for categories only.
    card=replace(_PANOPTIC_CARD, task=Task.CATEGORY),
    classes=classes,
    rule=_RULE,
    homes=(".",),
    annotations=Folder(("panoptic.json",), "panoptic annotations", "delete the folder"),
    category_ids=(tuple(range(len(NAMES))),),
    semantic="annotations/{id}.png",
    maps=_MAPS,
    picture="images/{id}.png",
    pictures=_PICTURES,
)


def _entry(name: str, summary: str, loader: str) -> SuiteEntry:
    return SuiteEntry(
        name=name,
        summary=summary,
        loader=f"suites.segmentation.shapes_files:{loader}",
        checker=_SHAPES.checker,
        options=_SHAPES.options,
        source=_SHAPES.source,
        licence=_SHAPES.licence,
    )


MASKS_ENTRY = _entry(MASKS.card.name, MASKS.card.summary, "load_masks")
PANOPTIC_ENTRY = _entry(PANOPTIC.card.name, PANOPTIC.card.summary, "load_panoptic")
