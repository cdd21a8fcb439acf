"""Numbers as printed."""

from __future__ import annotations

import pytest

from reports import formatting


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.89714, "89.71"), (1.0, "100.00"), (0.0, "0.00"), (-0.031, "-3.10"), (-0.00001, "0.00")],
)
def test_scores_are_points_with_two_decimals(value: float, printed: str) -> None:
    assert formatting.points(value) == printed


def test_an_interval_reads_in_brackets_even_below_zero() -> None:
    assert formatting.interval(-0.012, 0.034) == "[-1.20, 3.40]"


@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (512, "512"),
        (1_284_352, "1.28 M"),
        (12_840_000, "12.8 M"),
        (938_123_456, "938 M"),
        (999_700_000, "1.00 B"),
        (1_500_000_000, "1.50 B"),
        (72_000_000_000, "72.0 B"),
    ],
)
def test_parameters_have_three_figures(number: int, printed: str) -> None:
    assert formatting.parameters(number) == printed


@pytest.mark.parametrize(
    ("seconds", "printed"),
    [
        (0.84, "0.8 s"),
        (42.4, "42 s"),
        (185, "3 min 05 s"),
        (7620, "2 h 07 min"),
        (3599.6, "1 h 00 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, printed: str) -> None:
    assert formatting.duration(seconds) == printed


@pytest.mark.parametrize(
    ("identifier", "printed"),
    [
        ("semantic_similarity", "Semantic similarity"),
        ("semantic_iou[macro]", "Semantic IoU, macro"),
        ("exact_match[rare]", "Exact match, rare"),
        ("pq", "PQ"),
    ],
)
def test_metrics_are_spelled_for_readers(identifier: str, printed: str) -> None:
    assert formatting.words(identifier) == printed
