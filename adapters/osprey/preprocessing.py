"""Pictures and masks to the tensors the network reads.

Masks are never resized with the picture: each is sampled at its own resolution on the grids of
the feature maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn.functional import interpolate

from adapters.masks import BoolMask

IMAGE_SIZE = 512  # side of the square that a picture is stretched to
LEVEL_SIDES = (128, 64, 32, 16)  # sides of the four feature maps
IMAGE_TOKENS = LEVEL_SIDES[2] ** 2  # one for each cell of the third feature map
POSITION_SIDE = 112  # side of the grid that tells where a mask is (the paper says 224)
CLIP_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
CLIP_STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
# What the 256 values of each channel become, float32 ``[256, 3]``: scaled in double precision and
# standardised in single, as the authors' processor does.
_STANDARD = ((np.arange(256)[:, None] * (1 / 255)).astype(np.float32) - CLIP_MEAN) / CLIP_STD

_HOST = torch.device("cpu")


class RegionGrids(NamedTuple):
    """N masks on the network's grids.

    ``levels``: for each feature map, bool ``[N, side * side]``, row by row, true where the mask
    touches the sample; all false where it lies between samples. ``positions``: float32
    ``[N, 112 * 112]``, the mask's share of each sample.
    """

    levels: tuple[torch.Tensor, ...]
    positions: torch.Tensor

    def to(self, device: torch.device) -> RegionGrids:
        """The same grids elsewhere."""
        return RegionGrids(
            tuple(level.to(device) for level in self.levels), self.positions.to(device)
        )

    @classmethod
    def stack(cls, grids: Sequence[RegionGrids]) -> RegionGrids:
        """Several regions' grids as one."""
        levels = zip(*(grid.levels for grid in grids), strict=True)
        return cls(
            tuple(torch.cat(level) for level in levels),
            torch.cat([grid.positions for grid in grids]),
        )


def process_image(image: Image.Image) -> torch.Tensor:
    """Resize a picture's shorter side to 512 and standardise its pixels as CLIP does.

    Returns:
        float32 ``[3, height, width]``; the longer side is rounded down.
    """
    size = processed_size(image)
    resized = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(standardise(np.asarray(resized))).permute(2, 0, 1)


def processed_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of a picture whose shorter side is made 512."""
    width, height = (int(IMAGE_SIZE * side / min(image.size)) for side in image.size)
    return width, height


def standardise(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Pixels, ``[..., 3]``, scaled to [0, 1] and standardised by CLIP's mean and deviation."""
    standard = np.empty(pixels.shape, dtype=np.float32)
    for channel, values in enumerate(_STANDARD.T):
        standard[..., channel] = values[pixels[..., channel]]
    return standard


def stretch(pixels: torch.Tensor) -> torch.Tensor:
    """Stretch a processed picture, ``[3, height, width]``, to ``[3, 512, 512]``."""
    return sample(pixels[:, None], (IMAGE_SIZE, IMAGE_SIZE))[:, 0]


def sample_mask(mask: BoolMask, device: torch.device = _HOST) -> RegionGrids:
    """One mask, bool ``[height, width]`` of any size, on the network's grids, on ``device``."""
    values = torch.from_numpy(np.ascontiguousarray(mask)).to(device).float()[None, None]
    return RegionGrids(
        tuple((sample(values, (side, side)) > 0).flatten(1) for side in LEVEL_SIDES),
        sample(values, (POSITION_SIDE, POSITION_SIDE)).flatten(1),
    )


def sample(values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Each sample of a grid between its four nearest pixels, however far apart they are."""
    return interpolate(values, size, mode="bilinear", align_corners=False, antialias=False)
