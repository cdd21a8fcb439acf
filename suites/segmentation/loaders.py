"""What the suites' entries point to: open, check and prepare, set by set."""

from __future__ import annotations

from functools import partial

from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC, ADE150, ADE847
from suites.segmentation.checking import check_masks, check_panoptic
from suites.segmentation.cityscapes_sets import CITYSCAPES, CITYSCAPES_PANOPTIC
from suites.segmentation.opening import open_masks, open_panoptic
from suites.segmentation.web_sets import COCO_STUFF, PASCAL_CONTEXT_459

load_ade150, check_ade150 = partial(open_masks, ADE150), partial(check_masks, ADE150)
load_ade847, check_ade847 = partial(open_masks, ADE847), partial(check_masks, ADE847)
load_cityscapes = partial(open_masks, CITYSCAPES)
check_cityscapes = partial(check_masks, CITYSCAPES)
load_coco_stuff = partial(open_masks, COCO_STUFF)
check_coco_stuff = partial(check_masks, COCO_STUFF)
load_pascal_context_459 = partial(open_masks, PASCAL_CONTEXT_459)
check_pascal_context_459 = partial(check_masks, PASCAL_CONTEXT_459)

load_ade20k_panoptic = partial(open_panoptic, ADE20K_PANOPTIC)
check_ade20k_panoptic = partial(check_panoptic, ADE20K_PANOPTIC)
load_cityscapes_panoptic = partial(open_panoptic, CITYSCAPES_PANOPTIC)
check_cityscapes_panoptic = partial(check_panoptic, CITYSCAPES_PANOPTIC)
