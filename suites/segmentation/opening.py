"""Opening a segmentation suite from its options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.interface import JsonScalar
from suites.index import RegionIndex
from suites.segmentation.class_names import ClassNames, class_names
from suites.segmentation.index import SegmentationSource, ensure_index
from suites.segmentation.locate import Listing, list_masks, root_of
from suites.segmentation.mask_suite import MaskSuite
from suites.segmentation.panoptic_files import list_panoptic
from suites.segmentation.panoptic_suite import PanopticSuite
from suites.segmentation.prepared import edition
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
    names = class_names(masks.classes(), vocabulary, template)
    return mask_suite(masks, root_of(masks.card.name, root), names, cache)


def mask_suite(masks: MaskSet, root: Path, names: ClassNames, cache: Path) -> MaskSuite:
    """The suite of the maps below ``root``; see :func:`open_masks`."""
    listing = list_masks(masks, root)
    folder = _index(masks.card.name, listing, names, cache, tables=False)
    card = replace(
        masks.card,
        version=edition(masks, root),
        protocol=names.protocol(masks.card.protocol),
    )
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
    names = class_names(panoptic.classes(), vocabulary, template)
    return panoptic_suite(panoptic, root_of(panoptic.card.name, root), names, cache)


def panoptic_suite(
    panoptic: PanopticSet, root: Path, names: ClassNames, cache: Path
) -> PanopticSuite:
    """The suite of the maps below ``root``; see :func:`open_panoptic`."""
    listing = list_panoptic(panoptic, root)
    folder = _index(panoptic.card.name, listing, names, cache, tables=True)
    card = replace(panoptic.card, protocol=names.protocol(panoptic.card.protocol))
    return PanopticSuite(card, RegionIndex(folder), TableFile(folder), listing.pictures, names)


def _index(suite: str, listing: Listing, names: ClassNames, cache: Path, *, tables: bool) -> Path:
    source = SegmentationSource(
        suite=suite,
        jobs=listing.jobs,
        labels=names.labels,
        tables=tables,
        sources=listing.sources,
    )
    return ensure_index(source, cache)
