"""What a comparison page is made of: two runs of one suite, laid side by side.

Values are scores in [0, 1] (or [-1, 1]); differences are second minus first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Basis(StrEnum):
    """What a metric's difference was taken from."""

    RESAMPLES = "resamples"  # both runs' scores of the same resampled images
    REGIONS = "regions"  # the regions that both runs have a final answer for
    SCORES = "scores"  # the two scores alone: no interval
    NONE = "none"  # nothing to subtract


class Verdict(StrEnum):
    """What the second run is beside the first."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"  # the interval holds 0
    UNKNOWN = ""  # there is no interval


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs; ``facts`` are terms and values, the same terms for both.

    ``digest`` is the one of the run's page source: the comparison holds while it stays the same.
    """

    run: str
    model: str
    command: str
    facts: tuple[tuple[str, str], ...]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric under one protocol; ``note`` says what an absent number is absent for.

    ``regions`` is how many regions were compared, where they are not all of both runs.
    """

    metric: str
    protocol: str
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    basis: Basis
    higher_is_better: bool = True
    regions: int | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Decided by the 95 % interval."""
        return verdict(self.low, self.high, self.higher_is_better)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category's regions under both runs.

    ``p`` is of this category alone, ``adjusted_p`` of it among all of them. ``own`` holds the
    suite's own values of the category, first and second, by the comparison's ``own_metrics``.
    """

    category: str
    regions: int
    images: int
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p: float
    adjusted_p: float
    own: tuple[tuple[float | None, float | None], ...] = ()

    @property
    def significant(self) -> bool:
        """Whether it still differs when all categories are looked at."""
        return self.adjusted_p <= 0.05


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One region that the runs do not score alike."""

    region_id: str
    image_id: str
    category: str
    reference: str
    first_text: str
    second_text: str
    first_status: str
    second_status: str
    first: float
    second: float
    difference: float


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions with a final answer in both runs, by who scored higher under ``metric``.

    ``won`` by the second and ``lost`` to the first, the largest difference first.
    """

    metric: str
    protocol: str
    higher_is_better: bool
    compared: int
    total: int
    won: tuple[RegionRow, ...]
    lost: tuple[RegionRow, ...]

    @property
    def tied(self) -> int:
        """How many the runs score alike."""
        return self.compared - len(self.won) - len(self.lost)


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """Regions per second at one number of regions a picture, and the ratio second ÷ first.

    ``low`` and ``high`` are the ratio's 95 % interval.
    """

    instances: int
    way: str
    decoding: str
    picture: str
    dtype: str
    hardware: str
    first: float
    second: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one suite.

    ``complete`` says whether both have a final answer for every region they were asked about.
    ``speed_note`` says why there is no speed, or what was left out; ``notes`` is what else a
    reader must know.
    """

    suite: str
    suite_version: str
    protocol: str
    main_metric: str
    encoder: str
    first: Side
    second: Side
    complete: bool
    metrics: tuple[MetricRow, ...]
    regions: Regions | None
    categories: tuple[CategoryRow, ...]
    own_metrics: tuple[str, ...]
    speeds: tuple[SpeedRow, ...]
    speed_note: str
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> MetricRow | None:
        """The suite's main metric."""
        found = (row for row in self.metrics if row.metric == self.main_metric)
        return next((row for row in found if row.protocol == self.protocol), None)

    @property
    def compared(self) -> bool:
        """Whether there is any difference at all."""
        return any(row.difference is not None for row in self.metrics)

    @property
    def significant_categories(self) -> int:
        """How many categories differ when all are looked at."""
        return sum(row.significant for row in self.categories)


def verdict(low: float | None, high: float | None, higher_is_better: bool) -> Verdict:
    """What an interval of the difference second − first says of the second."""
    if low is None or high is None:
        return Verdict.UNKNOWN
    if low <= 0 <= high:
        return Verdict.UNDECIDED
    return Verdict.BETTER if (low > 0) == higher_is_better else Verdict.WORSE
