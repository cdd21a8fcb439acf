"""Values that no annotation can have: refused by name, whatever form the file has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from suites.base import DataInvalid, DataMissing, Level
from suites.readers.image_list import read_image_list
from suites.readers.json_files import JsonDocument
from suites.readers.region_lines import read_region_lines
from suites.registry import entry
from tests.suites.annotation_files import (
    HEIGHT,
    SQUARE,
    WIDTH,
    listed_image,
    write,
    write_lines,
    write_picture,
)


def own(folder: Path, region: dict[str, Any], **more: Any) -> Path:
    size = {"width": WIDTH, "height": HEIGHT}
    record = {"file_name": "a.png", **size, "regions": [region], **more}
    return write(folder / "birds.json", {"images": [record]})


def load(path: Path) -> Any:
    return entry("regions-json").load(cache=path.parent / "cache", annotations=str(path))


def region(**more: Any) -> dict[str, Any]:
    return {"label": "wren", "segmentation": [SQUARE], **more}


@pytest.mark.parametrize("bad", ["wr\0en", "wr\ud800en"])
@pytest.mark.parametrize("key", ["label", "id"])
def test_a_text_that_cannot_be_stored_is_refused(tmp_path: Path, key: str, bad: str) -> None:
    with pytest.raises(DataInvalid, match=f"region 0: '{key}' is .*no text .*take it out"):
        load(own(tmp_path, region(**{key: bad})))


@pytest.mark.parametrize("bad", ["a\0.png", "a\udc00.png"])
def test_a_file_name_that_cannot_be_stored_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(DataInvalid, match=r"image 1: 'file_name' is .*no text"):
        load(own(tmp_path, region(), file_name=bad))


def test_labels_that_cannot_be_stored_are_refused_in_every_form(tmp_path: Path) -> None:
    listed = write(tmp_path / "list.json", [listed_image(1, ["\ud800"], [[SQUARE]])])
    with pytest.raises(DataInvalid, match="annotation 0: the label is"):
        list(read_image_list(listed, edition="").images)
    line = {"id": 1, "image": "a", "width": WIDTH, "height": HEIGHT, "masks": ["04"]}
    lines = write_lines(tmp_path / "lines.jsonl", [{**line, "label": ["\0"]}])
    with pytest.raises(DataInvalid, match="mask 0: the label is"):
        list(read_region_lines(lines, edition="").images)


def test_a_number_beyond_every_float_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="'bbox' must be four finite numbers"):
        load(own(tmp_path, region(bbox=[0, 0, 10**400, 1])))


def test_a_file_name_that_no_file_can_have_is_not_there(tmp_path: Path) -> None:
    name = "a" * 300 + ".png"
    path = own(tmp_path, region(), file_name=name)
    findings = entry("regions-json").check(annotations=str(path))

    assert [f.level for f in findings if f.subject == "pictures"] == [Level.MISSING]
    assert load(path).record(0).path == tmp_path / name
    sizeless = write(tmp_path / "b.json", {"images": [{"file_name": name, "regions": [region()]}]})
    with pytest.raises(DataMissing, match="gives no width and height"):
        load(sizeless)


@pytest.mark.parametrize("text", ["null", "5", '"text"'])
def test_a_document_of_another_form_is_not_called_cut_off(tmp_path: Path, text: str) -> None:
    path = tmp_path / "birds.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataInvalid, match="a JSON object or array of annotations is wanted"):
        list(JsonDocument(path).elements())


def test_what_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "birds.json"
    text = json.dumps({"images": [{"file_name": "a.png", "regions": "deep"}]})
    path.write_text(text.replace('"deep"', "[" * 200_000 + "]" * 200_000), encoding="utf-8")

    with pytest.raises(DataInvalid, match="nested too deeply; correct it"):
        load(path)


def test_bad_masks_have_the_suites_own_remedy(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    path = own(tmp_path, region(segmentation=[[[1, 2], [3, 4], [5, 6]]]))
    findings = entry("regions-json").check(annotations=str(path))

    (finding,) = [f for f in findings if f.subject == "masks"]
    assert finding.remedy == "correct the annotation file; docs/data.md describes it"
