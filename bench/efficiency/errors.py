"""What efficiency sweeps raise on purpose."""

from __future__ import annotations

from bench.errors import BenchError


class SweepError(BenchError):
    """A sweep asks for what cannot be measured; the message says what to change."""
