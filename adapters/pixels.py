"""Pixels as the vision towers trained on ImageNet's statistics take them."""

from __future__ import annotations

import torch

from adapters.device import upload

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalise(pixels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Scale to [0, 1] and standardise by ImageNet's mean and deviation.

    Args:
        pixels: uint8 ``[n, height, width, 3]``.
        dtype: of the result; the arithmetic is float32.

    Returns:
        ``[n, 3, height, width]``.
    """
    # Made on the device itself, tensors of Python numbers would have the host wait for it.
    mean = upload(torch.tensor(IMAGENET_MEAN), pixels.device)
    std = upload(torch.tensor(IMAGENET_STD), pixels.device)
    scaled = pixels.to(torch.float32).div_(255).sub_(mean).div_(std)
    return scaled.permute(0, 3, 1, 2).to(dtype).contiguous()
