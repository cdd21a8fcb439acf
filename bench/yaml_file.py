"""Reading YAML so that errors can name the line a key stands on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.errors import ConfigError

# What PyYAML's constructors raise at `!!int x`, `!!bool x`, `!!timestamp x`, 2020-13-45 …
_NO_VALUE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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
        ConfigError: the file is missing, not UTF-8, not YAML, repeats a key, or holds itself.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {path} cannot be read: {error}") from error
    try:
        return parse_yaml(text)
    except ValueError as error:
        raise ConfigError(f"configuration {path} {error}") from error


def parse_yaml(text: str) -> YamlFile:
    """Parse a text with the safe loader.

    Raises:
        ValueError: it is not YAML, repeats a key, or holds itself; the message goes on after the
            text's name, and names the line where one is to blame.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _check(root, set(), set())
        return YamlFile(yaml.load(text, Loader=_Loader), root)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {error}") from error
    except RecursionError:
        raise ValueError("is nested too deeply; keep to a few levels") from None


class _Loader(yaml.SafeLoader):
    """The safe loader, whose every error tells the line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except _NO_VALUE as error:
            kind = node.tag.rpartition(":")[2]
            problem = f"this is no {kind} ({error}); quote it where a text is meant"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    return None


def _check(node: yaml.Node | None, within: set[yaml.Node], done: set[yaml.Node]) -> None:
    """Refuse keys that stand twice, and aliases of what they stand in (``within``)."""
    if node in within:
        raise _at(node, "what begins here holds itself by an alias (`*name`); write it out")
    if not isinstance(node, yaml.CollectionNode) or node in done:
        return
    inside = within | {node}
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode):
                if name.value in seen:
                    raise _at(
                        name, f"the key {name.value!r} stands twice in the same section; keep one"
                    )
                seen.add(name.value)
            _check(name, inside, done)
            _check(value, inside, done)
    else:
        for value in node.value:
            _check(value, inside, done)
    done.add(node)


def _at(node: yaml.Node, problem: str) -> ValueError:
    return ValueError(f"cannot be used: line {node.start_mark.line + 1}: {problem}")
