"""Reading the pictures in which segmentation sets store labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from suites.base import DataInvalid, DataMissing

_BITS = {1: "1-bit", 8: "8-bit", 16: "16-bit", 32: "32-bit"}


def read_labels(path: Path, bits: int) -> NDArray[Any]:
    """A single-channel label map as stored.

    Args:
        path: PNG or TIFF file.
        bits: 8 or 16, what the labels must be stored in.

    Returns:
        uint8 or uint16 ``[height, width]``.

    Raises:
        DataMissing: there is no such file.
        DataInvalid: it cannot be decoded, has several channels, or another depth.
    """
    labels = _decode(path)
    if labels.ndim != 2:
        raise DataInvalid(
            f"label map {path} has {labels.shape[2]} channels, one was expected; take the file "
            "with class labels, not a coloured one"
        )
    if labels.dtype.kind != "u" or labels.dtype.itemsize * 8 != bits:
        depth = 1 if labels.dtype == bool else labels.dtype.itemsize * 8
        raise DataInvalid(
            f"label map {path} is {_BITS[depth]}, {_BITS[bits]} was expected: its labels cannot "
            "be those of this set; prepare or fetch it anew"
        )
    return labels.astype(labels.dtype.newbyteorder("="), copy=False)


def read_panoptic(path: Path) -> NDArray[np.uint32]:
    """A panoptic map: segment ids R + 256 G + 65536 B, 0 = void, ``[height, width]``.

    Raises:
        DataMissing: there is no such file.
        DataInvalid: it cannot be decoded or is not RGB.
    """
    pixels = read_rgb(path)
    # Four bytes to a pixel, the last one 0, are its id in little-endian order.
    padded = np.zeros((*pixels.shape[:2], 4), np.uint8)
    padded[..., :3] = pixels
    return padded.view("<u4")[..., 0].astype(np.uint32, copy=False)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The three channels of a picture that stores numbers in them, ``[height, width, 3]``.

    Raises:
        DataMissing: there is no such file.
        DataInvalid: it cannot be decoded or is not RGB.
    """
    pixels = _decode(path)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise DataInvalid(
            f"label map {path} is no 8-bit RGB picture, which codes ids in three channels; "
            "prepare or fetch it anew"
        )
    return pixels


def _decode(path: Path) -> NDArray[Any]:
    try:
        with PIL.Image.open(path) as picture:
            return np.asarray(picture)
    except FileNotFoundError:
        raise DataMissing(
            f"label map {path} is missing; `bench data check` tells its source"
        ) from None
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise DataInvalid(f"label map {path} cannot be decoded: {error}; fetch it anew") from error
