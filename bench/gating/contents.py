"""What a baseline holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.gating.entries import Entry
from bench.gating.speeds import Place, Speed


@dataclass(frozen=True, slots=True)
class Baseline:
    """Entries by suite (as it is called) and model, and speeds by what was timed where."""

    entries: Mapping[tuple[str, str], Entry]
    speeds: Mapping[Place, Speed]
