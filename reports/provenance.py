"""A run's manifest as lines a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reports.text import Excerpt, excerpt

_MOST_ITEMS = 40


class Entry(NamedTuple):
    """One line of a manifest's table: the key below its group, and its value."""

    key: str
    value: Excerpt


class Group(NamedTuple):
    """A top-level key of the manifest with everything below it."""

    name: str
    entries: tuple[Entry, ...]


def without_hosts(manifest: Mapping[str, object]) -> Mapping[str, object]:
    """The manifest without the names of the machines that its sessions ran on."""
    sessions = _items(manifest.get("sessions"))
    return {**manifest, "sessions": list(map(_without_host, sessions))} if sessions else manifest


def _without_host(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _without_host(item) for key, item in value.items() if key != "host"}
    return value


def groups(manifest: Mapping[str, object]) -> list[Group]:
    """The whole manifest: plain top-level values first, then one group per nested key."""
    plain = tuple(
        Entry(key, _shown(value)) for key, value in manifest.items() if not _nested(value)
    )
    nested = [
        Group(key, tuple(_entries("", value))) for key, value in manifest.items() if _nested(value)
    ]
    return [Group("run", plain), *nested] if plain else nested


def _entries(prefix: str, value: object) -> Iterator[Entry]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entries(f"{prefix}.{key}" if prefix else str(key), item)
    elif _nested(value):
        items = _items(value)
        for index, item in enumerate(items[:_MOST_ITEMS]):
            yield from _entries(f"{prefix}[{index}]", item)
        if len(items) > _MOST_ITEMS:
            left = len(items) - _MOST_ITEMS
            yield Entry(f"{prefix}[…]", excerpt(f"{left} more in the JSON beside this page"))
    else:
        yield Entry(prefix, _shown(value))


def _nested(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    return any(isinstance(item, Mapping) or _items(item) for item in _items(value))


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _shown(value: object) -> Excerpt:
    if value is None or value in ("", [], {}, ()):
        return excerpt("—")
    if isinstance(value, bool):
        return excerpt("yes" if value else "no")
    if isinstance(value, str):
        return excerpt(value, cell=400, lines=8)
    if isinstance(value, Sequence):
        return excerpt(", ".join(str(item) for item in value), cell=400)
    return excerpt(str(value))
