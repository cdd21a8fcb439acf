"""Run-length decoding agrees with pycocotools and refuses what pycocotools would trust."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from adapters.interface import RLE
from adapters.masks import MaskError, decode_for, decode_rle


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    share=st.floats(0, 1),
    block=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_decodes_what_pycocotools_encodes(
    height: int, width: int, share: float, block: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.random((height // block + 1, width // block + 1)) < share
    mask = coarse.repeat(block, 0).repeat(block, 1)[:height, :width]
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    found = decode_rle(RLE((height, width), encoded["counts"].decode()))
    assert (found == mask).all()


def test_decodes_a_long_run() -> None:
    mask = np.zeros((3000, 4000), dtype=np.uint8)
    mask[2999, 3999] = 1
    encoded = coco.encode(np.asfortranarray(mask))
    assert decode_rle(RLE((3000, 4000), encoded["counts"].decode())).sum() == 1


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ("", "fills 0 pixels"),
        ("4", "fills 4 pixels"),
        ("100", "fills"),
        ("\x00", "not a COCO compressed string"),
        ("zzz", "not a COCO compressed string"),
        ("o", "not a COCO compressed string"),
        ("oooooooooo0", "impossibly large"),
        ("O5", "fills"),
    ],
)
def test_refuses_damaged_counts(counts: str, complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint):
        decode_rle(RLE((3, 3), counts))


def test_refuses_a_mask_of_another_size_than_its_picture() -> None:
    with pytest.raises(MaskError, match=r"mask is 3x2 .* picture is\s+2x3"):
        decode_for(RLE((2, 3), "6"), (2, 3))
