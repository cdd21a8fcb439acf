"""Comparing with stored numbers: what differs, by how much, and what cannot be compared."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.conformance import Comparison, Fixture, FixtureError, compare_close, compare_equal

NAN, INF = math.nan, math.inf


def differ(found: list[float], wanted: list[float]) -> Comparison:
    return compare_close("logits", "a", torch.tensor(found), torch.tensor(wanted), 1e-3)


def test_the_largest_absolute_difference_counts() -> None:
    comparison = differ([1.0, 2.0, -3.0], [1.0, 2.5, -3.25])
    assert (comparison.difference, comparison.tolerance) == (0.5, 1e-3)
    assert not comparison.passed


def test_a_difference_as_large_as_the_tolerance_passes() -> None:
    assert Comparison("logits", "a", 1e-3, 1e-3).passed
    assert not Comparison("logits", "a", NAN, 1e-3).passed


@pytest.mark.parametrize(
    ("found", "wanted", "difference"),
    [
        ([NAN, 1.0], [NAN, 1.0], 0.0),
        ([NAN], [1.0], INF),
        ([1.0], [NAN], INF),
        ([INF], [INF], 0.0),
        ([INF], [-INF], INF),
        ([], [], 0.0),
        ([1.0], [1.0, 2.0], INF),
    ],
)
def test_numbers_that_are_none_must_be_none_on_both_sides(
    found: list[float], wanted: list[float], difference: float
) -> None:
    assert differ(found, wanted).difference == difference


def test_masks_and_half_precision_are_compared_like_numbers() -> None:
    mask = torch.tensor([True, False])
    assert compare_close("masks", "a", mask, mask.to(torch.uint8), 0.0).passed
    assert compare_close("masks", "a", mask, ~mask, 0.0).difference == 1.0
    half = torch.tensor([0.5], dtype=torch.bfloat16)
    assert compare_close("features", "a", half, torch.tensor([0.5]), 0.0).passed


@pytest.mark.parametrize(
    ("found", "wanted", "difference"),
    [("cat", "cat", 0.0), ("cat", "cut", 1.0), ([1, 2], (1, 3), 1.0), ("cat", "cats", INF)],
)
def test_sequences_differ_in_places_or_altogether(
    found: str | list[int], wanted: str | tuple[int, ...], difference: float
) -> None:
    comparison = compare_equal("answer text", "a", found, wanted)
    assert comparison.difference == difference
    assert comparison.passed == (difference == 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cases.json").write_text('{"images": []}')
    save_file({"a/logits": torch.zeros(2)}, tmp_path / "expected.safetensors")
    return tmp_path


def test_a_fixture_is_its_cases_and_its_numbers(folder: Path) -> None:
    fixture = Fixture.read(folder)
    assert fixture.cases == {"images": []}
    assert fixture.tensor("a/logits").tolist() == [0.0, 0.0]
    assert fixture.checkpoint == folder / "checkpoint"


def test_a_number_or_picture_that_is_not_there_is_named(folder: Path) -> None:
    fixture = Fixture.read(folder)
    with pytest.raises(FixtureError, match="no 'b/logits' in expected"):
        fixture.tensor("b/logits")
    with pytest.raises(FixtureError, match=r"inputs/b\.png"):
        fixture.picture("inputs/b.png")


@pytest.mark.parametrize("file", ["cases.json", "expected.safetensors"])
def test_a_damaged_fixture_is_refused(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"{")
    with pytest.raises(FixtureError, match="cannot be read"):
        Fixture.read(folder)
