"""What a comparison raises on purpose."""

from __future__ import annotations

from bench.errors import BenchError


class NotComparable(BenchError):
    """Two runs' scores must not be laid side by side; the message says why."""
