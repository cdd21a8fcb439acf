"""What the suites on COCO pictures share: names, splits, and where to get them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from suites.readers.fields import text_at

SPLIT_FOLDERS = ("val2017", "train2017")
PICTURES_REMEDY = (
    "get http://images.cocodataset.org/zips/val2017.zip and "
    "http://images.cocodataset.org/zips/train2017.zip and unpack both side by side"
)
_OLD_PREFIXES = ("COCO_val2014_", "COCO_train2014_")


def picture_name(record: Mapping[str, Any], where: str) -> str:
    """The name of an image record's picture, with its 2017 split where the record tells it.

    LVIS v1 has only ``coco_url``; v0.5 has a ``file_name`` of the 2014 splits beside it; PACO's
    ``file_name`` carries the split.

    Raises:
        DataInvalid: the record has neither.
    """
    if isinstance(record.get("coco_url"), str):
        return "/".join(PurePosixPath(record["coco_url"]).parts[-2:])
    name = text_at(record, "file_name", where)
    for prefix in _OLD_PREFIXES:
        name = name.removeprefix(prefix)
    return name
