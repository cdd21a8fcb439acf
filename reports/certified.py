"""Whether what answered was compared with the official code, and what to say of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Standing(StrEnum):
    """How a run's adapter stands, weakest first.

    ``other versions``: it passed, but with other versions of its packages than the run's.
    """

    FAILED = "failed"
    NONE = ""
    OTHER_VERSIONS = "other versions"
    PASSED = "passed"


class Certified(NamedTuple):
    """A run's certificate.

    ``difference`` is the worst of all comparisons, made in ``stage``; ``None`` where two things
    had different shapes. ``day`` is when they were made, ISO 8601.
    """

    standing: Standing
    stage: str
    difference: float | None
    tolerance: float | None
    day: str

    @property
    def remark(self) -> str:
        """The worst difference and the day, in words."""
        if self.standing is Standing.NONE:
            return "no certificate"
        if not self.stage:
            return f"ended by an error, {self.day}"
        if self.difference is None:
            return f"another shape in {self.stage}, {self.day}"
        return (
            f"worst difference {self.difference:.2g} of {self.tolerance or 0:.2g} allowed, "
            f"{self.stage}, {self.day}"
        )


def weakest(certificates: Iterable[Certified]) -> Certified:
    """The one that says least for the runs of a line."""
    order = list(Standing)
    return min(certificates, key=lambda certified: order.index(certified.standing))
