"""Curves that can be told apart, and names that do not cover each other."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drawing import Caption
from reports.efficiency_axes import scales, ticks_125, ticks_doubling
from reports.efficiency_chart import curve_chart
from reports.efficiency_lines import STYLES, Line, Mark, Place, Reference
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


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (13.4, 15.4, [13.5, 14, 14.5, 15]),
        (5.2, 5.9, [5.2, 5.4, 5.6, 5.8]),
        (2.1, 2.9, [2.2, 2.4, 2.6, 2.8]),
        (446, 515, [460, 480, 500]),
        (4.9, 9.5, [5, 6, 7, 8, 9]),
        (0.0134, 0.0154, [0.0135, 0.014, 0.0145, 0.015]),
    ],
)
def test_a_short_axis_has_finer_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert ticks_125(low, high) == ticks


@given(st.floats(1e-3, 1e5), st.floats(1.1, 1e6))
def test_every_axis_has_some_ticks_within(low: float, times: float) -> None:
    ticks = ticks_125(low, low * times)
    assert 2 <= len(ticks) <= 13
    assert ticks == sorted(set(ticks))
    assert low * (1 - 1e-5) <= ticks[0] < ticks[-1] <= low * times * (1 + 1e-5)


def test_doublings_begin_below_one_where_needed() -> None:
    assert ticks_doubling(0.4, 9) == [0.5, 1, 2, 4, 8]


def test_a_single_number_of_regions_can_be_drawn() -> None:
    lines = [Line("one", STYLES[0], [Place(4, 2.0)])]
    axes = scales(lines)
    svg = curve_chart(lines, (), axes, [1, 2], Caption("c", "Title", "told"), subtitle=["below"])
    assert ">one</text>" in svg
    assert ">below<" in svg
    assert "NaN" not in svg


def test_a_curve_breaks_and_is_marked_where_it_lacks_a_value() -> None:
    places = [Place(2, 5.0), Place(4, 6.0), Place(16, 7.0)]
    lacking = [(1, "failed"), (8, "failed"), (32, "not possible"), (64, "out of memory")]
    line = Line("one", STYLES[0], places, lacking)
    assert line.pieces == [places[:2], places[2:]]
    assert line.marks == [Mark(1, 2, 5.0), Mark(8, 4, 6.0), Mark(32, 16, 7.0), Mark(64, 32, 7.0)]
    assert (line.stopped, line.end) == ("not possible", 64)
    assert scales([line]).instances == [1, 2, 4, 8, 16, 32, 64]


def test_a_curve_that_lacks_nothing_is_one_piece() -> None:
    line = Line("one", STYLES[0], [Place(1, 5.0), Place(8, 6.0)])
    assert line.pieces == [line.places]
    assert (line.marks, line.stopped, line.end) == ([], "", 8)
    earlier = line._replace(lacking=[(4, "failed")])
    assert (earlier.stopped, earlier.end) == ("", 8)


def test_a_line_to_compare_with_has_room_for_its_name() -> None:
    reference = Reference("a line with a long name", [Place(1, 1.0), Place(4, 2.0)])
    lines = [Line("ab", STYLES[0], [Place(1, 1.0), Place(4, 2.0)])]
    named = [lines[0]._replace(label=reference.label)]
    drawn = [_width(lines, [reference]), _width(named, [reference])]
    assert drawn[0] == drawn[1]


def _width(lines: list[Line], references: list[Reference]) -> str:
    axes = scales(lines, references)
    caption = Caption("c", "Title", "told")
    svg = curve_chart(lines, references, axes, [1, 2], caption, subtitle=["below"])
    return ET.fromstring(svg).attrib["width"]


def test_what_stands_above_a_chart_is_wrapped_and_not_without_end() -> None:
    lines = [Line("ab", STYLES[0], [Place(1, 1.0), Place(4, 2.0)])]
    below = [f"one part of this text; {'another part of it, ' * 3}; and the last", "x" * 999]
    caption = Caption("c", "A title of words " * 5, "told")
    svg = curve_chart(lines, (), scales(lines), [1, 2], caption, subtitle=below)
    texts = [
        each.text or ""
        for each in ET.fromstring(svg).iter()
        if each.tag.endswith(("text", "tspan"))
    ]
    assert max(map(len, texts)) <= 68
    assert {"one part of this text;", "and the last"} <= set(texts)
    assert 2 <= sum(text.startswith("xx") for text in texts) <= 4
