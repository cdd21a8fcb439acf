"""docs/configuration.md names every key of bench.yaml, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bench import config as configuration
from bench.config import ConfigFile, load_config

SECTIONS = {
    "The file": "ConfigFile",
    "encoder": "EncoderSpec",
    "mlflow": "MlflowSpec",
    "models": "ModelSpec",
    "suites": "SuiteSpec",
    "sweeps": "SweepSpec",
    "Models of a sweep": "SweepModel",
    "gate": "GateSpec",
    "Metrics of the gate": "MetricGate",
    "Speed of the gate": "SpeedGate",
    "publish": "PublishSpec",
}


@pytest.fixture(scope="module")
def reference(repository: Path) -> str:
    return (repository / "docs" / "configuration.md").read_text(encoding="utf-8")


def tables(reference: str) -> dict[str, list[tuple[str, str]]]:
    """Keys and defaults by the heading that their table stands under."""
    parts = re.split(r"^##+ (.*)$", reference, flags=re.MULTILINE)
    return {
        heading: re.findall(r"^\| `(\w+)` \| (.*?) ?\|", text, flags=re.MULTILINE)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def reached(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all that its fields hold, at any depth."""
    yield model
    waiting: list[object] = [field.annotation for field in model.model_fields.values()]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from reached(kind)
        waiting += get_args(kind)


def shown(field: FieldInfo) -> str:
    """The default as the reference writes it; what is empty or a section of its own is not."""
    if field.is_required():
        return "required"
    text = _as_yaml(field.default)
    return f"`{text}`" if text and field.default_factory is None else ""


def _as_yaml(value: object) -> str:
    if value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_yaml, value))}]"
    return value.value if isinstance(value, StrEnum) else str(value)


def test_every_section_of_the_file_has_its_table(reference: str) -> None:
    assert {model.__name__ for model in reached(ConfigFile)} == set(SECTIONS.values())
    assert set(tables(reference)) == set(SECTIONS)


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_table_names_every_key_with_its_default(reference: str, heading: str) -> None:
    model: type[BaseModel] = getattr(configuration, SECTIONS[heading])
    expected = [(name, shown(field)) for name, field in model.model_fields.items()]
    assert tables(reference)[heading] == expected


def test_the_file_shown_can_be_used(reference: str, tmp_path: Path) -> None:
    (source,) = re.findall(r"```yaml\n(.*?)```", reference, flags=re.DOTALL)
    path = tmp_path / "bench.yaml"
    path.write_text(source, encoding="utf-8")
    config = load_config(path)
    assert config.model("mine").adapter == "wow-seg"
    assert config.suite("lvis").kind == "lvis"


def test_every_link_leads_somewhere(reference: str, repository: Path) -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in tables(reference)}
    for link in re.findall(r"\]\(([^)]+)\)", reference):
        file, _, anchor = link.partition("#")
        assert (repository / "docs" / file).exists()
        assert not anchor or anchor in anchors
