"""Pictures to the square the network sees, also very long ones.

Of a picture enlarged to 512 pixels along its shorter side, the square holds 512 samples along the
longer one: of a long picture most pixels are never looked at, and are not made here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from adapters.osprey.preprocessing import (
    IMAGE_SIZE,
    process_image,
    processed_size,
    sample,
    standardise,
    stretch,
)
from adapters.resampling import bicubic_weights, columns_first

LONGEST = 8  # times its shorter side; the square of a longer picture is made piece by piece
PIECE = 2**21  # pixels of the enlarged picture in a piece, or a whole line where that is longer
_LINES = 64  # resized at a time


def load_square(image: Image.Image) -> torch.Tensor:
    """A picture as the network sees it, float32 ``[3, 512, 512]``.

    Equal to ``stretch(process_image(image))`` bit for bit.
    """
    if max(image.size) <= LONGEST * min(image.size):
        return stretch(process_image(image))
    size = processed_size(image)
    wide, length = size[0] > size[1], max(size)
    seen = _beside_samples(length)
    pixels = _enlarge(image.convert("RGB"), size, seen)
    across = max(PIECE // length, 1)
    # Pieces are as long as the enlarged picture, so that PyTorch finds its samples where it would
    # in the whole; what lies between those is left at zero.
    piece = np.zeros((across, length, 3) if wide else (length, across, 3), dtype=np.float32)
    square = torch.empty(3, IMAGE_SIZE, IMAGE_SIZE)
    for start in range(0, IMAGE_SIZE, across):
        part = slice(start, min(start + across, IMAGE_SIZE))
        count = part.stop - part.start
        if wide:
            piece[:count, seen] = standardise(pixels[part])
            square[:, part] = _sample(piece[:count], (count, IMAGE_SIZE))
        else:
            piece[seen, :count] = standardise(pixels[:, part])
            square[:, :, part] = _sample(piece[:, :count], (IMAGE_SIZE, count))
    return square


def _beside_samples(length: int) -> npt.NDArray[np.int64]:
    """Pixels of a side that may have a share in one of its samples, in order."""
    centres = np.floor((np.arange(IMAGE_SIZE) + 0.5) * length / IMAGE_SIZE - 0.5).astype(np.int64)
    # PyTorch computes the centres in float32, which is off by up to a pixel in 2^22.
    off = 1 + length // 2**22
    near = centres[:, None] + np.arange(-off, off + 2)
    return np.unique(near.clip(0, length - 1))


def _enlarge(
    image: Image.Image, size: tuple[int, int], seen: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Some columns of a wide picture, or rows of a tall one, as Pillow's bicubic resizes it.

    Args:
        image: an RGB picture.
        size: width and height it would have.
        seen: which of its columns or rows.

    Returns:
        ``[512, seen, 3]`` of a wide picture, ``[seen, 512, 3]`` of a tall one.
    """
    wide = size[0] > size[1]
    longer_first = columns_first(image.size, size) != wide
    if not longer_first:
        image = _resize_shorter(image, wide)
    pixels = np.asarray(image)
    if wide:
        pixels = _resize_lines(pixels.swapaxes(0, 1), size[0], seen).swapaxes(0, 1)
    else:
        pixels = _resize_lines(pixels, size[1], seen)
    if longer_first:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        pixels = np.asarray(_resize_shorter(image, wide))
    return pixels


def _resize_shorter(image: Image.Image, wide: bool) -> Image.Image:
    size = (image.width, IMAGE_SIZE) if wide else (IMAGE_SIZE, image.height)
    return image.resize(size, Image.Resampling.BICUBIC)


def _resize_lines(
    lines: npt.NDArray[np.uint8], new: int, seen: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Lines ``seen`` of the ``new`` ones that the given ``[lines, pixels, 3]`` are resized to."""
    resized = np.empty((len(seen), *lines.shape[1:]), dtype=np.uint8)
    for start in range(0, len(seen), _LINES):
        part = slice(start, start + _LINES)
        positions, weights = bicubic_weights(len(lines), new, seen[part])
        sums = np.zeros(resized[part].shape)
        for old, weight in zip(positions.T, weights.T, strict=True):
            sums += weight[:, None, None] * lines[old]
        resized[part] = np.floor(sums + 0.5).clip(0, 255)
    return resized


def _sample(pixels: npt.NDArray[np.float32], size: tuple[int, int]) -> torch.Tensor:
    """Stretch ``[height, width, 3]`` to ``[3, *size]``, as :func:`stretch` does."""
    return sample(torch.from_numpy(pixels).permute(2, 0, 1)[:, None], size)[:, 0]
