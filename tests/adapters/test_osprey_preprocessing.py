"""Pictures are processed as CLIP's; masks are sampled and pooled as the paper's code does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adapters.masks import BoolMask
from adapters.osprey.modeling import MaskExtractor
from adapters.osprey.preprocessing import (
    IMAGE_SIZE,
    LEVEL_SIDES,
    POSITION_SIDE,
    RegionGrids,
    process_image,
    sample_mask,
    stretch,
)


def blobs(height: int, width: int, seed: int) -> BoolMask:
    """A few random rectangles."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), dtype=np.bool_)
    for _ in range(3):
        top, left = rng.integers(height), rng.integers(width)
        mask[top : top + rng.integers(1, 60), left : left + rng.integers(1, 60)] = True
    return mask


@pytest.mark.parametrize(
    ("size", "processed"),
    [
        ((640, 480), (512, 682)),
        ((480, 640), (682, 512)),
        ((512, 512), (512, 512)),
        ((30, 90), (1536, 512)),
        ((1, 1), (512, 512)),
    ],
)
def test_the_shorter_side_becomes_512_and_the_picture_a_square(
    size: tuple[int, int], processed: tuple[int, int]
) -> None:
    width, height = size
    pixels = process_image(Image.new("RGB", (width, height), (255, 0, 128)))
    assert sorted(pixels.shape[1:]) == sorted(processed)
    assert (pixels.shape[2] > pixels.shape[1]) == (width > height)
    square = stretch(pixels)
    assert square.shape == (3, IMAGE_SIZE, IMAGE_SIZE)
    torch.testing.assert_close(square[:, 0, 0], pixels[:, 0, 0])


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1"])
def test_other_kinds_of_picture_are_read_as_rgb(mode: str) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).convert(mode)
    assert torch.equal(process_image(image), process_image(image.convert("RGB")))


@given(height=st.integers(1, 300), width=st.integers(1, 300), seed=st.integers(0, 2**16))
def test_a_cell_is_inside_when_any_of_the_four_pixels_around_its_centre_is(
    height: int, width: int, seed: int
) -> None:
    mask = blobs(height, width, seed)
    grids = sample_mask(mask)
    for side, level in zip(LEVEL_SIDES, grids.levels, strict=True):
        # In exact arithmetic: a centre at a pixel's own touches no other.
        rows, columns = ([_around(i, length, side) for i in range(side)] for length in mask.shape)
        for cell in np.random.default_rng(seed).integers(0, side, (20, 2)):
            touched = mask[np.ix_(rows[cell[0]], columns[cell[1]])].any()
            assert bool(level[0, cell[0] * side + cell[1]]) == touched


def _around(cell: int, length: int, side: int) -> list[int]:
    """Pixels with a share in the sample at the centre of ``cell``."""
    twice, remainder = divmod((2 * cell + 1) * length - side, 2 * side)
    low = max(twice, 0)
    return [low] if twice < 0 or remainder == 0 else [low, min(low + 1, length - 1)]


def test_a_mask_of_a_grids_own_size_is_taken_as_it_is() -> None:
    mask = blobs(POSITION_SIDE, POSITION_SIDE, 1)
    assert torch.equal(sample_mask(mask).positions[0], torch.from_numpy(mask).flatten().float())
    mask = blobs(LEVEL_SIDES[1], LEVEL_SIDES[1], 1)
    assert torch.equal(sample_mask(mask).levels[1][0], torch.from_numpy(mask).flatten())


def test_a_mask_between_samples_vanishes() -> None:
    mask = np.zeros((1024, 1024), dtype=np.bool_)
    mask[::64, ::64] = True
    assert [int(level.sum()) for level in sample_mask(mask).levels] == [0, 0, 0, 0]


def test_pooling_is_the_mean_under_each_mask_and_zero_under_none() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(5, side, side, generator=generator) for side in LEVEL_SIDES]
    sampled = [sample_mask(blobs(200, 300, seed)) for seed in range(6)]
    sampled.append(sample_mask(np.zeros((200, 300), dtype=np.bool_)))
    pooled = MaskExtractor.pool(maps, RegionGrids.stack(sampled))
    for features, level, found in zip(maps, range(4), pooled, strict=True):
        for grids, row in zip(sampled, found, strict=True):
            under = features.flatten(1)[:, grids.levels[level][0]]
            wanted = under.mean(1) if under.numel() else torch.zeros(5)
            torch.testing.assert_close(row, wanted, atol=1e-5, rtol=0)
    assert all((level[-1] == 0).all() for level in pooled)
