"""Pictures to what SAM 2 sees: a stretched square of pixels, and points in it."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

IMAGE_SIZE = 1024  # side of the square that a picture is stretched to


def stretch(image: Image.Image) -> torch.Tensor:
    """Resize a picture to the square, by Pillow's bicubic on 8-bit values.

    Returns:
        uint8 ``[1, 1024, 1024, 3]``.
    """
    size = (IMAGE_SIZE, IMAGE_SIZE)
    resized = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized))[None]


def scale_points(points: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Move points of a picture, float32 ``[..., 2]``, to the grid of the stretched square."""
    return points / torch.tensor([width, height]) * IMAGE_SIZE
