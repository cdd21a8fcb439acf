"""Opening a segmentation suite from its options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.interface import JsonScalar
from suites.index import RegionIndex
from suites.segmentation.class_names import ClassNames, class_names
from suites.segmentation.index import SegmentationSource, ensure_index
from suites.segmentation.locate import Listing, SegmentationSet, list_masks, root_of
from suites.segmentation.mask_suite import MaskSuite
from suites.segmentation.panoptic_files import list_panoptic
from suites.segmentation.panoptic_suite import PanopticSuite
from suites.segmentation.sets import MaskSet, PanopticSet
from suites.segmentation.tables import TableFile


def open_masks(
    masks: MaskSet,
    *,
    cache: Path,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> MaskSuite:
    """Open a mask classification suite, building its index the first time.

    Raises:
        SuiteError: an unusable option, or files that are missing or cannot be used.
    """
    names = class_names(masks.vocabulary, vocabulary, template)
    listing = list_masks(masks, root_of(masks.card.name, root))
    folder = _index(masks, listing, names, cache, tables=False)
    card = replace(masks.card, protocol=names.protocol(masks.card.protocol))
    return MaskSuite(card, RegionIndex(folder), listing.pictures, names)


def open_panoptic(
    panoptic: PanopticSet,
    *,
    cache: Path,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> PanopticSuite:
    """Open a panoptic suite, building its index and contingency tables the first time.

    Raises:
        SuiteError: an unusable option, or files that are missing or cannot be used.
    """
    names = class_names(panoptic.vocabulary, vocabulary, template)
    listing = list_panoptic(panoptic, root_of(panoptic.card.name, root))
    folder = _index(panoptic, listing, names, cache, tables=True)
    card = replace(panoptic.card, protocol=names.protocol(panoptic.card.protocol))
    return PanopticSuite(card, RegionIndex(folder), TableFile(folder), listing.pictures, names)


def _index(
    found: SegmentationSet, listing: Listing, names: ClassNames, cache: Path, *, tables: bool
) -> Path:
    source = SegmentationSource(
        suite=found.card.name,
        jobs=listing.jobs,
        labels=names.labels,
        tables=tables,
        sources=listing.sources,
    )
    return ensure_index(source, cache)
