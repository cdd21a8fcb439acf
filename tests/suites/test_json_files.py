from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suites.base import DataInvalid, DataMissing
from suites.readers.json_files import JsonDocument, JsonLines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def file_of(folder: Path, text: str) -> Path:
    path = folder / "annotations.json"
    path.write_text(text, encoding="utf-8")
    return path


@given(content=st.dictionaries(st.text(max_size=4), VALUES, max_size=4), indent=st.integers(0, 2))
def test_walking_a_document_yields_every_member_and_element(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object], indent: int
) -> None:
    path = file_of(tmp_path_factory.mktemp("walk"), json.dumps(content, indent=indent or None))
    document = JsonDocument(path)
    elements = list(document.elements())

    expected = [
        (key, value)
        for key, member in content.items()
        for value in (member if isinstance(member, list) else [member])
    ]
    assert [(e.key, e.value) for e in elements] == expected
    assert [document.at(e.offset) for e in elements] == [e.value for e in elements]


@given(cut=st.integers(0, 200))
def test_a_document_cut_off_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    whole = json.dumps({"images": [{"id": 1, "name": "é"}], "annotations": [[1.5], [2.5]]})
    text = whole[: cut % len(whole)]
    document = JsonDocument(file_of(tmp_path_factory.mktemp("cut"), text))

    with pytest.raises(DataInvalid, match=r"annotations\.json"):
        list(document.elements())


def test_a_cut_off_document_is_named_with_the_byte_it_ends_at(tmp_path: Path) -> None:
    text = '{"names": ["été"], "annotations": [{"id": 1}, {"id": '
    document = JsonDocument(file_of(tmp_path, text))

    end = len(text.encode())
    with pytest.raises(DataInvalid, match=rf"annotations\.json is cut off: it ends at byte {end}"):
        list(document.elements())


def test_damage_inside_a_document_is_named_with_its_byte(tmp_path: Path) -> None:
    document = JsonDocument(file_of(tmp_path, '{"names": ["été"], "annotations": [1, x]}'))

    with pytest.raises(DataInvalid, match="not valid JSON at byte 40 of 43"):
        list(document.elements())


def test_text_after_a_document_is_refused(tmp_path: Path) -> None:
    document = JsonDocument(file_of(tmp_path, '{"a": 1} {"a": 1}'))

    with pytest.raises(DataInvalid, match="text follows"):
        list(document.elements())


@pytest.mark.parametrize("value", ["[" * 100_000 + "]" * 100_000, "9" * 5_000])
def test_values_beyond_reason_are_refused(tmp_path: Path, value: str) -> None:
    document = JsonDocument(file_of(tmp_path, f'{{"annotations": [1, {value}]}}'))

    with pytest.raises(DataInvalid, match="not valid JSON at byte 20"):
        list(document.elements())
    with pytest.raises(DataInvalid, match="line 1 is not valid JSON"):
        list(JsonLines(document.path).lines())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"nowhere\.json"):
        JsonDocument(tmp_path / "nowhere.json")


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_bytes(b'{"a": "\xff"}')

    with pytest.raises(DataInvalid, match="not UTF-8 text at byte 7"):
        JsonDocument(path)


def test_lines_can_be_read_again_at_their_offset(tmp_path: Path) -> None:
    path = file_of(tmp_path, '{"a": "é"}\n\n{"a": 2}\n')
    document = JsonLines(path)
    lines = list(document.lines())

    assert [(line.number, line.value["a"]) for line in lines] == [(1, "é"), (3, 2)]
    assert [document.at(line.offset) for line in lines] == [line.value for line in lines]


def test_a_cut_off_line_is_named_with_its_number_and_byte(tmp_path: Path) -> None:
    document = JsonLines(file_of(tmp_path, '{"a": 1}\n{"a": '))

    with pytest.raises(DataInvalid, match="line 2 is cut off at byte 15"):
        list(document.lines())
