"""Curves that can be told apart, and names that do not cover each other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drawing import Caption
from reports.efficiency_axes import scales, ticks_125, ticks_doubling
from reports.efficiency_chart import curve_chart
from reports.efficiency_lines import STYLES, Line, Place, stop
from reports.efficiency_names import spread


@given(st.lists(st.floats(0, 300), max_size=9))
def test_names_keep_their_order_and_their_distance(wanted: list[float]) -> None:
    moved = spread(wanted, 15)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [moved[index] for index in order]
    assert all(below - above >= 15 - 1e-6 for above, below in itertools.pairwise(places))
    assert min(places, default=7.5) >= 7.5


def test_names_with_room_stay_where_they_are() -> None:
    assert spread([100.0, 20.0, 60.0], 15) == [100.0, 20.0, 60.0]


def test_no_two_curves_look_alike_without_colour() -> None:
    assert len({(style.dash, style.shape) for style in STYLES}) == len(STYLES)
    assert len({style.dash for style in STYLES}) == len(STYLES)
    assert len({style.shape for style in STYLES}) == len(STYLES)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 60, [1, 2, 5, 10, 20, 50]),
        (0.18, 0.36, [0.2, 0.3]),
        (0.5, 5_000, [1, 3, 10, 30, 100, 300, 1_000, 3_000]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    assert ticks_125(low, high) == ticks


def test_doublings_begin_below_one_where_needed() -> None:
    assert ticks_doubling(0.4, 9) == [0.5, 1, 2, 4, 8]


def test_a_single_number_of_regions_can_be_drawn() -> None:
    lines = [Line("one", STYLES[0], [Place(4, 2.0)])]
    axes = scales(lines)
    svg = curve_chart(lines, (), axes, [1, 2], Caption("c", "Title", "told"), subtitle=["below"])
    assert ">one</text>" in svg
    assert ">below<" in svg
    assert "NaN" not in svg


def test_a_curve_stops_at_the_first_number_beyond_its_last_value() -> None:
    assert stop({2: "failed", 16: "not possible", 32: "out of memory"}, 8) == (16, "not possible")
    assert stop({2: "failed"}, 8) is None
