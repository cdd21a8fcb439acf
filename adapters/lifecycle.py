"""What a recognizer may offer besides answers: a log to keep, and an end.

Both are optional; whoever runs models asks with ``isinstance``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class KeepsLog(Protocol):
    """Models that write messages worth keeping beside their answers."""

    def log_to(self, path: Path) -> None:
        """Append everything written since the last call, and from now on, to the file ``path``.

        Raises:
            AdapterError: the file cannot be written.
        """
        ...


@runtime_checkable
class Closes(Protocol):
    """Models that hold more than memory, such as a child process."""

    def close(self) -> None:
        """Let go of everything; the model cannot be asked afterwards."""
        ...
