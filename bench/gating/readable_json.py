"""JSON that a diff shows line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def readable(values: Mapping[str, Any], margin: str = "") -> str:
    """An object with a line per key; objects inside it that hold only plain values take one."""
    inner = margin + "  "
    items = [f"{inner}{json.dumps(k)}: {_value(v, inner)}" for k, v in values.items()]
    return "{\n" + ",\n".join(items) + f"\n{margin}}}"


def _value(value: Any, margin: str) -> str:
    inner = margin + "  "
    if isinstance(value, list) and value:
        items = [f"{inner}{_value(item, inner)}" for item in value]
        return "[\n" + ",\n".join(items) + f"\n{margin}]"
    if isinstance(value, dict) and any(isinstance(v, (dict, list)) for v in value.values()):
        return readable(value, margin)
    return json.dumps(value, allow_nan=False)
