"""Pillow's bicubic on 8-bit pixels, by Pillow or, byte for byte the same, on an accelerator.

Pillow resizes rows and columns one after the other, each to bytes: a new pixel is the sum of old
ones weighted by multiples of 2^-22, rounded half up and clamped (``src/libImaging/Resample.c``).
Such sums are exact in float64 whatever their order, so that the product with a matrix of the
weights gives the same bytes on any device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import PIL
import torch
from PIL import Image

PILLOW = tuple(int(part) for part in PIL.__version__.split(".")[:2])
SUPPORT = 2.0  # pixels on either side of the centre that the bicubic filter weighs
SCALE = 2.0**22  # weights are multiples of its inverse
REMEMBERED = 256  # pairs of sizes whose weights are kept on their device, 50 to 400 KB each


@dataclass(frozen=True, slots=True)
class Resampler:
    """Where pixels are kept while they are cut and resized, and what resizes them there.

    ``resize`` takes uint8 ``[planes, height, width]`` and the new ``(width, height)``, and gives
    the bytes of Pillow's bicubic; a plane is one channel of a picture, or a mask of 0 and 255.
    """

    device: torch.device
    resize: Callable[[torch.Tensor, tuple[int, int]], torch.Tensor]

    @classmethod
    def beside(cls, device: torch.device) -> Resampler:
        """The one for a network on ``device``: there with CUDA (or ROCm), else on the host.

        The host's processor is faster with Pillow; other accelerators may lack float64.
        """
        return cls(device, resize_by_products) if device.type == "cuda" else HOST

    def upload(self, values: npt.NDArray[np.uint8] | npt.NDArray[np.bool_]) -> torch.Tensor:
        """The values where pixels are kept, without waiting for the device."""
        return torch.from_numpy(values).to(self.device, non_blocking=True)

    def load(self, image: Image.Image) -> torch.Tensor:
        """The planes of an RGB picture, uint8 ``[3, height, width]``."""
        return self.upload(np.array(image)).movedim(-1, 0).contiguous()


def resize_by_pillow(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize planes on the CPU; see :class:`Resampler`."""
    resized = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))
        for plane in planes.numpy()
    ]
    return torch.from_numpy(np.stack(resized))


def resize_by_products(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize planes on any device that computes in float64; see :class:`Resampler`."""
    values = planes.to(torch.float64)
    columns_first = _columns_first((planes.shape[2], planes.shape[1]), size)
    for columns in (columns_first, not columns_first):
        old, new = (planes.shape[1], size[1]) if columns else (planes.shape[2], size[0])
        if new != old:  # else Pillow leaves the pass out, and its rounding
            matrix = _matrix(old, new, planes.device)
            sums = matrix @ values if columns else values @ matrix.T
            values = sums.add_(0.5).floor_().clamp_(0, 255)
    return values.to(torch.uint8)


HOST = Resampler(torch.device("cpu"), resize_by_pillow)


def _columns_first(old: tuple[int, int], new: tuple[int, int]) -> bool:
    """Whether the installed Pillow resizes columns before rows, which shows in the rounding.

    Args:
        old: width and height.
        new: width and height.
    """
    lost_width, lost_height = old[0] - new[0], old[1] - new[1]
    if PILLOW >= (13, 0):
        return lost_height > max(0, 2 * lost_width)
    return PILLOW >= (12, 2) and lost_height > 0 and old[1] > 100 * old[0]


def _matrix(old: int, new: int, device: torch.device) -> torch.Tensor:
    """Weights, float64 ``[new, old]``, of a line's old pixels in its new ones."""
    matrix = torch.zeros(new, old, dtype=torch.float64, device=device)
    return matrix.scatter_(1, *_weights_on(old, new, device))


@lru_cache(REMEMBERED)
def _weights_on(old: int, new: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    positions, weights = bicubic_weights(old, new)
    return (
        torch.from_numpy(positions).to(device, non_blocking=True),
        torch.from_numpy(weights).to(device, non_blocking=True),
    )


def bicubic_weights(old: int, new: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The weights with which Pillow resizes a line of ``old`` 8-bit pixels to ``new``.

    Computed operation for operation like ``precompute_coeffs`` and ``normalize_coeffs_8bpc``, for
    all pixels at once.

    Returns:
        Positions of old pixels and their weights, both ``[new, taps]``; no position comes twice
        in a row, and weights are multiples of 2^-22.
    """
    step = old / new
    widened = max(step, 1.0)
    support = SUPPORT * widened
    taps = min(2 * math.ceil(support) + 1, old)
    centres = (np.arange(new) + 0.5) * step
    first = np.maximum(np.trunc(centres - support + 0.5), 0)
    end = np.minimum(np.trunc(centres + support + 0.5), old)
    positions = np.minimum(first, old - taps) + np.arange(taps)[:, None]
    weights = _bicubic((positions - centres + 0.5) * (1.0 / widened))
    weights[(positions < first) | (positions >= end)] = 0
    weights /= np.cumsum(weights, axis=0)[-1]  # added one by one; np.sum adds in pairs
    weights *= SCALE
    rounded = np.trunc(weights + np.copysign(0.5, weights)) / SCALE
    return positions.T.astype(np.int64), rounded.T


def _bicubic(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys' filter with a = -0.5."""
    x = np.abs(distances)
    near = (1.5 * x - 2.5) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * -0.5
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
