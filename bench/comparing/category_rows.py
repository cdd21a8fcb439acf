"""Two runs category by category, with what looking at so many of them takes away."""

from __future__ import annotations

from bench.comparing.common import CommonRegions
from bench.stored_scores import StoredScores
from reports.compare_records import CategoryRow

Own = tuple[tuple[float | None, float | None], ...]


def category_rows(common: CommonRegions, column: str, own: OwnValues) -> list[CategoryRow]:
    """The categories of regions that both runs have a score for, the surest difference first.

    ``column`` is the score, ``metric/protocol``.
    """
    import numpy as np

    from metrics.multiplicity import benjamini_hochberg
    from metrics.paired_groups import group_differences

    frame = common.frame
    one, _ = common.scores(column)
    found = group_differences(
        one + common.differences(column),
        one,
        frame["image_id"].to_numpy(),
        frame["category"].to_numpy(),
    )
    adjusted = benjamini_hochberg(np.array([row.p for row in found]))
    rows = [
        CategoryRow(
            category=str(row.group),
            regions=row.rows,
            images=row.clusters,
            first=row.second,
            second=row.first,
            difference=row.difference,
            low=row.low,
            high=row.high,
            p=row.p,
            adjusted_p=float(among_all),
            own=own.of(str(row.group)),
        )
        for row, among_all in zip(found, adjusted, strict=True)
    ]
    return sorted(rows, key=lambda row: (row.p, -abs(row.difference), row.category))


class OwnValues:
    """Values of the main protocol that a suite gives its categories, beside means over regions."""

    def __init__(
        self, first: StoredScores, second: StoredScores, common: CommonRegions, *, same: bool
    ) -> None:
        """Read them; there are none unless both runs cover the ``same`` regions.

        Raises:
            StoreError: a frame cannot be read.
        """
        self.metrics: tuple[str, ...] = ()
        self._values: tuple[dict[tuple[str, str], float], ...] = ()
        if same:
            frames = [_of_protocol(stored) for stored in (first, second)]
            self._values = tuple(frames)
            names = dict.fromkeys(metric for frame in frames for _, metric in frame)
            self.metrics = tuple(
                name for name in names if common.column(name, first.protocol) is None
            )

    def of(self, category: str) -> Own:
        """First and second value of each metric; ``None`` where a run has none."""
        return tuple(
            (self._values[0].get((category, name)), self._values[1].get((category, name)))
            for name in self.metrics
        )


def _of_protocol(stored: StoredScores) -> dict[tuple[str, str], float]:
    frame = stored.categories()
    frame = frame[frame["protocol"] == stored.protocol]
    keys = zip(frame["category"], frame["metric"], strict=True)
    return dict(zip(keys, frame["value"].astype(float), strict=True))
