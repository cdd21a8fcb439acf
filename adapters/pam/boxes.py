"""Regions as boxes: PAM was trained with boxes and points, and takes no masks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import torch

from adapters.interface import Answer, Box, RegionQuery, SettingError
from adapters.masks import PixelBox, box_of_mask
from adapters.pam.preprocessing import scale_points
from adapters.regions import read_mask

BOX_LABELS = (2, 3)  # SAM 2's labels of a box's upper left and lower right corner


class BoxRule(StrEnum):
    """Which box stands for a region; the authors do not say which their scores are of.

    ``mask``: the smallest box that holds the mask, as in their examples. ``annotation``: the
    annotated box, its corners cut to whole numbers, as in training.
    """

    MASK = "mask"
    ANNOTATION = "annotation"


def box_of_annotation(box: Box) -> PixelBox:
    """The annotated box with its corners cut to whole numbers.

    Raises:
        ValueError: a coordinate is not a finite number.
    """
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    if not np.isfinite(corners).all():
        raise ValueError(f"its annotated box is {tuple(box)}, not four finite numbers")
    return PixelBox(*map(int, corners))


def read_boxes(query: RegionQuery, rule: BoxRule) -> list[PixelBox | Answer]:
    """Every region's box, or the answer of one that cannot be asked.

    Raises:
        SettingError: the annotated boxes are asked for and there are none.
    """
    if rule is BoxRule.ANNOTATION and query.boxes is None:
        raise SettingError(
            f"pam: box=annotation, but image {query.image_id!r} comes without annotated boxes; "
            "use box=mask, or a suite whose annotations have boxes"
        )
    return [_read_box(query, rule, index) for index in range(len(query.masks))]


def _read_box(query: RegionQuery, rule: BoxRule, index: int) -> PixelBox | Answer:
    mask = read_mask(query, index)
    if isinstance(mask, Answer):
        return mask
    if rule is BoxRule.MASK or query.boxes is None:
        return box_of_mask(mask)
    try:
        return box_of_annotation(query.boxes[index])
    except ValueError as error:
        region = query.region_ids[index]
        return Answer.errored(f"image {query.image_id!r}, region {region!r}: {error}")


def box_points(boxes: Sequence[PixelBox], width: int, height: int) -> torch.Tensor:
    """Corners of boxes on the grid of the stretched square.

    Args:
        boxes: N boxes.
        width: of the picture.
        height: of the picture.

    Returns:
        float32 ``[N, 2, 2]``, to be labelled :data:`BOX_LABELS`.
    """
    corners = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 2, 2)
    return scale_points(corners, width, height)
