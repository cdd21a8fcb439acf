"""Types the fixtures have."""

from __future__ import annotations

from collections.abc import Callable

Bench = Callable[..., int]
Asked = Callable[[], list[str]]
