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
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import PIL
import torch
from PIL import Image

from adapters.device import upload

PILLOW = tuple(int(part) for part in PIL.__version__.split(".")[:2])
SUPPORT = 2.0  # pixels on either side of the centre that the bicubic filter weighs
SCALE = 2.0**22  # weights are multiples of its inverse
PINNED = 2**22  # bytes of a mask that page-locked memory is taken for
HELD = 2**23  # float64 numbers: of pixels, of weights and of sums, 64 MiB each
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

    def upload(self, mask: npt.NDArray[np.bool_]) -> torch.Tensor:
        """A mask where pixels are kept; see :func:`adapters.device.upload`.

        For the copy of a large one the host waits, as for a picture's.
        """
        values = torch.from_numpy(mask)
        return upload(values, self.device) if mask.size <= PINNED else values.to(self.device)

    def load(self, image: Image.Image) -> torch.Tensor:
        """The planes of an RGB picture, uint8 ``[3, height, width]``.

        The host waits for the copy: a picture's is the first of its work, and page-locked memory
        of its size would stay taken.
        """
        pixels = torch.from_numpy(np.array(image)).to(self.device)
        return pixels.movedim(-1, 0).contiguous()


def resize_by_pillow(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize planes on the CPU; see :class:`Resampler`."""
    resized = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))
        for plane in planes.numpy()
    ]
    return torch.from_numpy(np.stack(resized))


def resize_by_products(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize planes on any device that computes in float64; see :class:`Resampler`.

    Bytes apart, what is held at a time does not grow with the picture: see :data:`HELD`.
    """
    height, width = planes.shape[1:]
    if columns_first((width, height), size):
        resized = _resize_rows(_resize_columns(planes, size[1]), size[0])
    else:
        resized = _resize_columns(_resize_rows(planes, size[0]), size[1])
    return resized.contiguous()


def _resize_columns(planes: torch.Tensor, new: int) -> torch.Tensor:
    return _resize_rows(planes.mT, new).mT


def _resize_rows(planes: torch.Tensor, new: int) -> torch.Tensor:
    """Resize rows to ``new`` pixels each, a block of their pixels and a band of rows at a time."""
    count, height, old = planes.shape
    if new == old:  # Pillow leaves the pass out, and its rounding
        return planes
    resized = planes.new_empty(count, height, new)
    for block in _blocks_on(old, new, planes.device):
        matrix = block.matrix()
        step = max(HELD // (count * max(matrix.shape)), 1)
        for top in range(0, height, step):
            band = planes[:, top : top + step, block.old]
            sums = band.to(torch.float64, memory_format=torch.contiguous_format) @ matrix.T
            resized[:, top : top + step, block.new] = sums.add_(0.5).floor_().clamp_(0, 255)
    return resized


HOST = Resampler(torch.device("cpu"), resize_by_pillow)


def columns_first(old: tuple[int, int], new: tuple[int, int]) -> bool:
    """Whether the installed Pillow resizes columns before rows, which shows in the rounding.

    Args:
        old: width and height.
        new: width and height.
    """
    lost_width, lost_height = old[0] - new[0], old[1] - new[1]
    if PILLOW >= (13, 0):
        return lost_height > max(0, 2 * lost_width)
    return PILLOW >= (12, 2) and lost_height > 0 and old[1] > 100 * old[0]


class _Block(NamedTuple):
    """Some of a line's ``new`` pixels and the ``old`` ones they are sums of.

    ``positions`` int64 ``[new, taps]``, counted from the first of ``old``, and their ``weights``.
    """

    new: slice
    old: slice
    positions: torch.Tensor
    weights: torch.Tensor

    def matrix(self) -> torch.Tensor:
        """Weights, float64 ``[new, old]``."""
        matrix = self.weights.new_zeros(len(self.weights), self.old.stop - self.old.start)
        return matrix.scatter_(1, self.positions, self.weights)


@lru_cache(REMEMBERED)
def _blocks_on(old: int, new: int, device: torch.device) -> tuple[_Block, ...]:
    """A line's new pixels in blocks whose matrices hold at most :data:`HELD` weights each."""
    positions, weights = bicubic_weights(old, new)
    taps = positions.shape[1]
    length = new
    while length > 1 and length * min(math.ceil(length * old / new) + taps, old) > HELD:
        length = math.ceil(length / 2)
    blocks = []
    for start in range(0, new, length):
        part = slice(start, min(start + length, new))
        first, last = int(positions[part].min()), int(positions[part].max())
        # Copied while the host waits: these arrays are gone when a device gets round to them.
        there = (
            torch.from_numpy(values).to(device)
            for values in (positions[part] - first, np.ascontiguousarray(weights[part]))
        )
        blocks.append(_Block(part, slice(first, last + 1), *there))
    return tuple(blocks)


def bicubic_weights(
    old: int, new: int, chosen: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The weights with which Pillow resizes a line of ``old`` 8-bit pixels to ``new``.

    Computed operation for operation like ``precompute_coeffs`` and ``normalize_coeffs_8bpc``, for
    all pixels at once.

    Args:
        old: pixels of the line.
        new: pixels it gets.
        chosen: which of the new pixels; ``None`` is all of them.

    Returns:
        Positions of old pixels and their weights, both ``[pixels, taps]``; no position comes
        twice in a row, and weights are multiples of 2^-22.
    """
    step = old / new
    widened = max(step, 1.0)
    support = SUPPORT * widened
    taps = min(2 * math.ceil(support) + 1, old)
    centres = ((np.arange(new) if chosen is None else chosen) + 0.5) * step
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
