"""Resizing by products gives Pillow's bytes, at any sizes and for any pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from adapters import resampling
from adapters.resampling import (
    HOST,
    Resampler,
    bicubic_weights,
    resize_by_pillow,
    resize_by_products,
)

KINDS = ("noise", "mask", "checkerboard", "stripes", "white", "black", "grey")


def plane(kind: str, width: int, height: int) -> torch.Tensor:
    """One plane, uint8 ``[1, height, width]``."""
    rows, columns = np.indices((height, width))
    noise = np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width))
    values = {
        "noise": noise,
        "mask": 255 * (noise > 127),
        "checkerboard": 255 * ((rows + columns) % 2),
        "stripes": 255 * (columns % 2),
        "white": np.full_like(noise, 255),
        "black": np.zeros_like(noise),
        "grey": np.full_like(noise, 127),
    }
    return torch.from_numpy(values[kind].astype(np.uint8))[None]


def pillow_of(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Pillow's own resizing of one or three planes as one picture."""
    array = planes[0].numpy() if len(planes) == 1 else planes.permute(1, 2, 0).numpy()
    resized = np.array(Image.fromarray(array).resize(size, Image.Resampling.BICUBIC))
    return torch.from_numpy(resized.reshape(size[1], size[0], -1)).permute(2, 0, 1)


sides = st.integers(1, 12) | st.integers(1, 700)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(KINDS), width=sides, height=sides, size=st.tuples(sides, sides))
def test_any_size_becomes_any_other_with_pillows_bytes(
    kind: str, width: int, height: int, size: tuple[int, int]
) -> None:
    planes = plane(kind, width, height)
    wanted = pillow_of(planes, size)
    assert torch.equal(resize_by_products(planes, size), wanted)
    assert torch.equal(resize_by_pillow(planes, size), wanted)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(width=sides, height=sides, other=sides)
def test_a_side_that_stays_is_not_resampled(width: int, height: int, other: int) -> None:
    planes = plane("noise", width, height)
    for size in ((width, height), (other, height), (width, other)):
        assert torch.equal(resize_by_products(planes, size), pillow_of(planes, size))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((1, 1), (448, 448)),
        ((448, 448), (1, 1)),
        ((1, 700), (448, 448)),
        ((700, 1), (1, 700)),
        ((2, 463), (49, 288)),  # so tall that Pillow from 12.2 on resizes its columns first
        ((300, 600), (448, 448)),  # columns first in Pillow 13
        ((600, 300), (448, 448)),
        ((640, 480), (1792, 1344)),
        ((1792, 1344), (448, 448)),
        ((5000, 3), (7, 3000)),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_extreme_sizes_have_pillows_bytes(
    kind: str, old: tuple[int, int], new: tuple[int, int]
) -> None:
    planes = plane(kind, *old)
    assert torch.equal(resize_by_products(planes, new), pillow_of(planes, new))


def test_channels_are_resized_as_in_one_picture() -> None:
    planes = torch.cat([plane(kind, 90, 70) for kind in ("noise", "mask", "stripes")])
    part = planes[:, 10:61, 20:83]
    for size in ((33, 120), (200, 17)):
        assert torch.equal(resize_by_products(part, size), pillow_of(part, size))
        assert torch.equal(resize_by_pillow(part, size), pillow_of(part, size))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(width=sides, height=sides, size=st.tuples(sides, sides), held=st.integers(1, 20_000))
def test_bands_and_blocks_leave_the_bytes_alone(
    width: int, height: int, size: tuple[int, int], held: int
) -> None:
    # Down to blocks of one pixel, which take long on large pictures.
    held = max(held, width * height // 64, size[0] * size[1] // 64)
    planes = torch.cat([plane(kind, width, height) for kind in ("noise", "mask")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "HELD", held)
        resampling._blocks_on.cache_clear()
        found = resize_by_products(planes, size)
    resampling._blocks_on.cache_clear()
    for one, resized in zip(planes, found, strict=True):
        assert torch.equal(resized[None], pillow_of(one[None], size))


class LargestFloats(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the size of the largest float64 tensor that anything gives."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        if isinstance(given, torch.Tensor) and given.dtype == torch.float64:
            self.largest = max(self.largest, given.numel())
        return given


@pytest.mark.parametrize("size", [(160, 120), (48, 576), (448, 7), (1800, 30)])
def test_the_memory_for_numbers_does_not_grow_with_the_picture(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "HELD", 2**13)
    resampling._blocks_on.cache_clear()
    for old in ((300, 200), (1500, 1100), (200, 2000)):
        planes = plane("noise", *old)
        with LargestFloats() as noted:
            found = resize_by_products(planes, size)
        assert torch.equal(found, pillow_of(planes, size))
        assert 0 < noted.largest <= 2**13
    resampling._blocks_on.cache_clear()


def test_weights_of_some_pixels_are_rows_of_all_pixels_weights() -> None:
    for old, new in ((30, 700), (700, 30)):
        chosen = np.array([0, 3, 4, 29])
        for whole, some in zip(
            bicubic_weights(old, new), bicubic_weights(old, new, chosen), strict=True
        ):
            assert np.array_equal(some, whole[chosen])


def test_weights_are_whole_multiples_that_add_up_to_one() -> None:
    for old, new in ((1, 7), (7, 1), (448, 448), (300, 448), (1000, 3)):
        positions, weights = bicubic_weights(old, new)
        assert positions.min() >= 0
        assert positions.max() < old
        assert (np.diff(positions, axis=1) == 1).all()
        assert (weights * 2**22 % 1 == 0).all()
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)


def test_pixels_are_resized_where_float64_is_and_pillow_is_slower() -> None:
    for kind in ("cpu", "meta", "mps"):
        assert Resampler.beside(torch.device(kind)) is HOST
    there = Resampler.beside(torch.device("cuda", 1))
    assert there == Resampler(torch.device("cuda", 1), resize_by_products)


def test_a_picture_is_loaded_as_planes() -> None:
    image = Image.new("RGB", (3, 2), (10, 20, 30))
    planes = HOST.load(image)
    assert planes.dtype is torch.uint8
    assert planes.shape == (3, 2, 3)
    assert planes[:, 1, 2].tolist() == [10, 20, 30]
