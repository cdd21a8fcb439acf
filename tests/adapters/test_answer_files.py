"""Files of answers by other programs: each is read whole, or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.answer_files import read_answers
from adapters.interface import CheckpointError

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "region_id,text\n1,red, round\n", "line 2: 3 cells under 2 .* quote texts that"),
        ("a.csv", "region_id,text,text\n1,a,b\n", "line 1: .* names `text` twice"),
        ("a.csv", "\nregion_id,text\n1,a\n", "line 1: .* names `region_id` not at all"),
        ("a.csv", 'region_id,text\n1,a\n2,"b\n3,c\n4,d\n', "line 3: the row that begins here"),
        ("a.csv", 'region_id,text\n1,"a"b"\n', "line 2: the row that begins here is not CSV"),
        ("a.csv", 'region_id,text\n1,"a\nb"\n2\n', "line 4: needs the strings"),
        ("a.csv", "region_id,text\n", "holds no answer"),
        ("a.csv", "", "line 1: the header must name"),
        ("a.jsonl", "\n\n", "holds no answer"),
        ("a.jsonl", f'{{"region_id": "1", "text": {DEEP}\n', "line 1: not JSON .*too deeply"),
        ("a.jsonl", f'{{"region_id": {"7" * 5000}}}\n', "line 1: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: needs the strings"),
    ],
)
def test_what_would_be_cut_or_lost_is_refused(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        read_answers(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'region_id,text\n1,"red, ""round"""\n'),
        ("a.jsonl", '{"region_id": "1", "text": "red, \\"round\\""}\n'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_text(
    tmp_path: Path, name: str, content: str, encoding: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding=encoding)
    assert read_answers(path) == {"1": 'red, "round"'}


def test_a_long_answer_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "round " * 40_000
    path.write_text(f"region_id,text\n1,{text}\n", encoding="utf-8")
    assert read_answers(path) == {"1": text}
