"""Untrusted text as the pages and the CSV hold it."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.export import csv_bytes, json_bytes
from reports.frames import ReportError
from reports.text import csv_text, excerpt, visible

anything = st.text(st.characters(exclude_categories=()))


@given(anything)
def test_visible_text_holds_no_control_and_no_surrogate(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    left = {unicodedata.category(character) for character in shown} & {"Cc", "Cs"}
    assert not left or set(shown) & {"\t", "\n"}
    shown.encode("utf-8")


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_visible_leaves_printable_text_alone(text: str) -> None:
    assert visible(text) == text


def test_nul_and_a_lone_surrogate_have_stand_ins() -> None:
    assert visible("a\x00b\ud83dc\x7f") == "a␀b\ufffdc␡"


def test_a_short_text_needs_no_unfolding() -> None:
    assert excerpt("small red circle") == ("small red circle", None, 0)


def test_a_long_text_is_cut_and_says_how_much_is_left() -> None:
    short, full, hidden = excerpt("x" * 100_000)
    assert short == "x" * 120 + "…"
    assert full == "x" * 4000
    assert hidden == 96_000


def test_a_text_of_several_lines_unfolds_as_it_is() -> None:
    assert excerpt("two\nlines") == ("two lines…", "two\nlines", 0)


@given(anything)
@example("=1+1")
@example("＝1+1")
@example("\t=1")
def test_no_csv_text_begins_as_a_formula(text: str) -> None:
    assert not csv_text(text).startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    )


@given(st.lists(st.tuples(anything, st.floats(), st.integers() | st.none()), max_size=5))
def test_csv_reads_back_to_the_same_rows(rows: list[tuple[str, float, int | None]]) -> None:
    written = csv_bytes(("text", "value", "count"), rows).decode("utf-8")
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read[0] == ["text", "value", "count"]
    assert read[1:] == [
        [csv_text(text), str(value), "" if count is None else str(count)]
        for text, value, count in rows
    ]


def test_negative_numbers_stay_numbers_in_csv() -> None:
    assert csv_bytes(("value",), [(-0.25,)]) == b"value\r\n-0.25\r\n"


@given(st.dictionaries(anything, anything | st.integers() | st.booleans() | st.none()))
def test_json_keeps_every_text_exactly(content: dict[str, object]) -> None:
    read = json.loads(json_bytes({"content": content}))
    assert read == {"schema_version": 1, "content": content}


def test_json_has_no_not_a_number() -> None:
    assert json.loads(json_bytes({"values": [float("nan"), float("inf"), 0.5]}))["values"] == [
        None,
        None,
        0.5,
    ]


def test_what_is_no_json_value_is_refused() -> None:
    with pytest.raises(ReportError, match="cannot be written as JSON"):
        json_bytes({"value": object()})
