"""All comparisons that two sides of a command line ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.comparing.comparison import compare
from bench.comparing.errors import NotComparable
from bench.comparing.pairing import pairs, scored
from bench.store import StoredRun
from reports.compare_records import Comparison


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared, and why what was not was not."""

    comparisons: tuple[Comparison, ...]
    not_compared: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether there is a comparison, and none is missing, empty or of an incomplete run."""
        fine = all(found.complete and found.compared for found in self.comparisons)
        return bool(self.comparisons) and fine and not self.not_compared


def compare_all(
    first: Sequence[StoredRun],
    second: Sequence[StoredRun],
    suites: Sequence[str],
    efficiency: Path,
) -> Compared:
    """Compare the runs of both sides, suite by suite.

    Args:
        first: runs of one side, at most one a suite.
        second: runs of the other.
        suites: the suites meant; all that both sides ran where none is named.
        efficiency: folder of efficiency records.

    Raises:
        ConfigError: both sides are one run, or a suite is named that they do not share.
        StoreError: something stored cannot be read.
    """
    found, reasons = [], []
    for pair in pairs(first, second, suites):
        try:
            one, other = scored(pair.first), scored(pair.second)
            found.append(compare(one, other, efficiency=efficiency))
        except NotComparable as error:
            reasons.append(str(error))
    if not found and not reasons:
        listed = [", ".join(run.name for run in side) for side in (first, second)]
        reasons.append(f"{listed[0]} and {listed[1]} have no suite in common")
    return Compared(tuple(found), tuple(reasons))
