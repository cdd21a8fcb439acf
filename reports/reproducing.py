"""How to make a run again: its command, and the entries of bench.yaml that the command needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SETTING = "settings."


class Recipe(NamedTuple):
    """``entries`` is YAML; empty where the manifest does not say."""

    command: str
    entries: str


def recipe(manifest: Mapping[str, object]) -> Recipe:
    """The command a run began with, and what it read from its configuration."""
    command = str(manifest.get("command") or "")
    return Recipe(command, "\n".join(_entries(manifest, command)))


def _entries(manifest: Mapping[str, object], command: str) -> Iterator[str]:
    suite, model = _mapping(manifest.get("suite")), _mapping(manifest.get("model"))
    declared = _mapping(model.get("declared"))
    # An imported run has no model to load, one with --adapter names it in the command.
    if declared and command.startswith("bench run ") and " --adapter " not in command:
        yield "models:"
        yield f"  {json.dumps(model.get('name'))}: {_flow(_nested(declared))}"
    if "kind" in suite:
        yield "suites:"
        options = {"kind": suite["kind"], **_mapping(suite.get("options"))}
        yield f"  {json.dumps(suite.get('called'))}: {_flow(options)}"
    scorings = list(_mapping(manifest.get("scorings")).values())
    if scorings:
        latest = max(map(_mapping, scorings), key=lambda record: str(record.get("scored")))
        encoder = {"model": latest.get("encoder"), "revision": latest.get("encoder_revision")}
        yield f"encoder: {_flow({key: value for key, value in encoder.items() if value})}"


def _nested(declared: Mapping[str, object]) -> dict[str, object]:
    """``settings.NAME`` entries as the mapping they were written as."""
    own = {name: value for name, value in declared.items() if not name.startswith(_SETTING)}
    settings = {
        name.removeprefix(_SETTING): value
        for name, value in declared.items()
        if name.startswith(_SETTING)
    }
    return {**own, "settings": settings} if settings else own


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _flow(values: Mapping[str, object]) -> str:
    """JSON, which is YAML too."""
    return json.dumps(values, ensure_ascii=True)
