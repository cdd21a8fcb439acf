"""Pictures become the same square however they are made, long ones without their enlarged copy."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from adapters.osprey import squares
from adapters.osprey.preprocessing import CLIP_MEAN, CLIP_STD, process_image
from adapters.osprey.squares import load_square


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width + height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def processed(image: Image.Image) -> torch.Tensor:
    """A picture as the authors' processor gives it, computed pixel by pixel."""
    width, height = (int(512 * side / min(image.size)) for side in image.size)
    resized = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
    scaled = (resized * (1 / 255)).astype(np.float32)
    return torch.from_numpy((scaled - CLIP_MEAN) / CLIP_STD).permute(2, 0, 1)


def wanted(image: Image.Image) -> torch.Tensor:
    """The square, made from the whole enlarged picture."""
    stretched = interpolate(processed(image)[:, None], (512, 512), mode="bilinear")
    return stretched[:, 0]


def test_every_value_is_scaled_in_double_and_standardised_in_single_precision() -> None:
    ramp = np.arange(512 * 512).reshape(512, 512).astype(np.uint8)
    image = Image.fromarray(np.stack([ramp] * 3, axis=-1))
    assert torch.equal(process_image(image), processed(image))
    single = (ramp * np.float32(1 / 255) - CLIP_MEAN[0]) / CLIP_STD[0]
    assert not torch.equal(process_image(image)[0], torch.from_numpy(single))


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (700, 600), (512, 512), (30, 240), (1, 1)])
def test_ordinary_pictures_become_the_authors_square(size: tuple[int, int]) -> None:
    image = noise(*size)
    assert torch.equal(load_square(image), wanted(image))


@pytest.mark.parametrize(
    "size",
    [
        (300, 30),
        (30, 300),
        (33, 1),
        (1, 33),
        (9, 80),
        (5000, 520),  # made smaller; the longer side first
        (520, 5000),  # the longer side first only in Pillow 13
        (512, 5001),
        (5001, 512),
        (7000, 700),
        (700, 7000),
    ],
)
def test_long_pictures_become_the_authors_square(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = noise(*size)
    square = wanted(image)
    assert torch.equal(load_square(image), square)
    monkeypatch.setattr(squares, "PIECE", 3 * max(square.shape[1:]) * max(size) // min(size))
    assert torch.equal(load_square(image), square)


def test_a_long_picture_of_another_kind_is_read_as_rgb() -> None:
    image = noise(400, 20).convert("P")
    assert torch.equal(load_square(image), wanted(image.convert("RGB")))


@pytest.mark.parametrize("size", [(20000, 40), (40, 20000), (3000, 1)])
def test_a_long_picture_takes_little_memory(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    resize = Image.Image.resize

    def noting(image: Image.Image, size: tuple[int, int], *others: Any) -> Image.Image:
        made.append(size[0] * size[1])
        return resize(image, size, *others)

    monkeypatch.setattr(Image.Image, "resize", noting)
    image = Image.new("RGB", size, "olive")
    tracemalloc.start()
    try:
        square = load_square(image)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert torch.equal(square, square[:, :1, :1].expand_as(square))
    # Enlarged whole, it would have 131 million pixels or more.
    assert max(made, default=0) <= 512 * max(size)
    assert peak < 150e6
