"""What the command's exit status means."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """An uncaught exception is 4: it never looks like a regression."""

    FINE = 0
    REGRESSION = 1  # `gate` only
    USAGE = 2  # bad usage or configuration
    INCOMPLETE = 3  # incomplete, inconclusive, not certified, or nothing measured
    INTERNAL = 4
