"""The preprocessing benchmark times the same bytes made in two ways."""

from __future__ import annotations

import pytest
import torch

from adapters.masks import decode_rle
from adapters.resampling import HOST
from benchmarks import preprocessing as benchmark
from benchmarks.measuring import Timing, photo_with_regions


def test_all_work_is_timed_as_often_on_either_side() -> None:
    rows = benchmark.measure(torch.device("cpu"), regions=1, rounds=1)
    assert [row.work for row in rows] == list(benchmark.WORK)
    for row in rows:
        assert [len(row.by_pillow), len(row.on_device)] == [1, 1]
        assert row.by_pillow[0].clock > 0


def test_the_work_is_that_of_the_published_sizes() -> None:
    query = photo_with_regions(2)
    masks = [decode_rle(mask) for mask in query.masks]
    tiles, *crops = benchmark.wow_seg(query, masks, HOST)
    assert tiles.shape == (13, 448, 448, 3)
    assert [crop.shape for crop in crops] == [(448, 448, 3)] * 2
    seen = benchmark.dam(query, masks, HOST)
    assert [pixels.shape[0] for pixels in seen] == [3, *[1, 3, 1] * 2]
    assert {pixels.shape[1:] for pixels in seen} == {(384, 384)}


def test_differing_bytes_are_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        benchmark, "resize_by_products", lambda planes, size: HOST.resize(planes, size) // 2
    )
    with pytest.raises(ValueError, match="not the bytes of Pillow"):
        benchmark.measure(torch.device("cpu"), regions=1, rounds=1)


def test_the_ratio_is_how_often_the_device_could_do_pillows_work() -> None:
    rows = [benchmark.Row("crops", [Timing(0.2, 0.1)], [Timing(0.004, 0.1), Timing(0.006, 0.1)])]
    assert benchmark.table(rows).splitlines()[2] == (
        "| crops | 200.0 (200.0–200.0) | 5.0 (4.0–6.0) | 40.0x |"
    )
