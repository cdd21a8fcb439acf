"""What a user's own regions are called: as declared, or like their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.choices import choose_suites
from bench.config import load_config
from tests.suites.annotation_files import HEIGHT, SQUARE, WIDTH, write


def card_name(folder: Path, suite: str, declared: str, **options: str) -> str:
    record = {"file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    region = {"label": "wren", "segmentation": [SQUARE]}
    write(folder / "birds.json", {"images": [{**record, "regions": [region]}]})
    path = folder / "bench.yaml"
    path.write_text(f"suites:\n  mine: {{{declared}}}\n", encoding="utf-8")
    (choice,) = choose_suites(load_config(path), [suite], options)
    return choice.load(folder / "cache").card.name


DECLARED = "kind: regions-json, annotations: birds.json"


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        (DECLARED, "mine"),
        (f"{DECLARED}, name: Birds", "Birds"),
        (f"{DECLARED}, name: null", "mine"),
    ],
)
def test_a_declared_suite_is_called_as_declared(tmp_path: Path, declared: str, name: str) -> None:
    assert card_name(tmp_path, "mine", declared) == name


def test_an_undeclared_suite_is_called_like_its_file(tmp_path: Path) -> None:
    annotations = str(tmp_path / "birds.json")
    assert card_name(tmp_path, "regions-json", DECLARED, annotations=annotations) == "birds"
