"""Reading a YAML file so that errors can name the line a key stands on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.errors import ConfigError


class YamlFile(NamedTuple):
    """A parsed file: ``values`` as Python objects, ``root`` as nodes with positions."""

    values: Any
    root: yaml.Node | None

    def line(self, key_path: Sequence[str | int]) -> int | None:
        """Line (from 1) of the key at ``key_path``, or of its nearest parent that exists."""
        node, line = self.root, None
        for key in key_path:
            found = _child(node, key)
            if found is None:
                return line
            line, node = found
        return line


def read_yaml(path: Path) -> YamlFile:
    """Parse ``path`` with the safe loader.

    Raises:
        ConfigError: the file is missing, not UTF-8, not YAML, or repeats a key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {path} cannot be read: {error}") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"configuration {path} is not YAML: {error}") from error
    _refuse_repeated_keys(path, root)
    return YamlFile(values, root)


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    return None


def _refuse_repeated_keys(path: Path, node: yaml.Node | None) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for name, value in node.value:
        if name.value in seen:
            raise ConfigError(
                f"{path}, line {name.start_mark.line + 1}: the key {name.value!r} stands twice "
                "in the same section; keep one"
            )
        seen.add(name.value)
        _refuse_repeated_keys(path, value)
