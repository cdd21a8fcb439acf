from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pycocotools.mask
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from suites.segmentation.masks import labels_in, masks_of

LABEL_MAPS = hnp.arrays(
    np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 4)
)


@given(LABEL_MAPS)
def test_masks_are_those_pycocotools_encodes_one_by_one(labels: NDArray[np.uint16]) -> None:
    wanted = np.arange(5)  # labels the map lacks give empty masks
    encoded = [
        pycocotools.mask.encode(np.asfortranarray(labels == label, dtype=np.uint8))
        for label in wanted
    ]
    assert [mask.counts for mask in masks_of(labels, wanted)] == [
        mask["counts"].decode() for mask in encoded
    ]


@given(LABEL_MAPS)
def test_the_labels_of_a_map_are_listed_once_and_ascending(labels: NDArray[np.uint16]) -> None:
    assert labels_in(labels).tolist() == sorted(set(labels.ravel().tolist()))


def test_masks_come_in_the_order_asked_for_and_know_the_maps_size() -> None:
    labels = np.array([[1, 2, 2], [1, 1, 2]])
    second, first = masks_of(labels, np.array([2, 1]))
    assert second.size == first.size == (2, 3)
    decoded = pycocotools.mask.decode({"size": [2, 3], "counts": second.counts})
    assert decoded.tolist() == [[0, 1, 1], [0, 0, 1]]
