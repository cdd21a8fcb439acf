"""The regions that two runs have both been asked about, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.stored_scores import StoredScores

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_ONE, _OTHER = "_first", "_second"


@dataclass(frozen=True, slots=True)
class CommonRegions:
    """Regions of both runs' frames, joined by ``region_id`` and sorted by it.

    ``frame`` holds ``region_id``, ``image_id``, ``category``, ``reference``, and of either run
    ``text``, ``status`` and the score columns with ``_first`` or ``_second`` behind their names.
    ``columns`` are the score columns ``metric/protocol`` of both; ``total`` counts the regions
    of either run.
    """

    frame: pd.DataFrame
    columns: tuple[str, ...]
    total: int

    @classmethod
    def of(cls, first: StoredScores, second: StoredScores) -> CommonRegions:
        """Join what is stored of the two.

        Raises:
            StoreError: a frame cannot be read.
        """
        one, other = first.regions(), second.regions()
        names, others = (list(map(str, frame.select_dtypes("float"))) for frame in (one, other))
        columns = tuple(name for name in names if "/" in name and name in others)
        own = ["region_id", "text", "status", *columns]
        described = ["image_id", "category", "reference"]
        joined = one[[*own, *described]].merge(
            other[own], on="region_id", suffixes=(_ONE, _OTHER), validate="1:1"
        )
        total = len(one) + len(other) - len(joined)
        return cls(joined.sort_values("region_id", ignore_index=True), columns, total)

    def column(self, metric: str, protocol: str) -> str | None:
        """The score column of a metric, where both runs have it."""
        name = f"{metric}/{protocol}"
        return name if name in self.columns else None

    def scores(self, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The first and the second run's scores ``[regions]``; NaN where it has none."""
        one, other = (self.frame[name].to_numpy("float64") for name in self.names(column))
        return one, other

    def names(self, column: str) -> tuple[str, str]:
        """What the column is called in ``frame``, the first's and the second's."""
        return column + _ONE, column + _OTHER

    def scored(self, column: str) -> NDArray[np.bool_]:
        """Which regions both runs have a score for ``[regions]``."""
        import numpy as np

        one, other = self.scores(column)
        found: NDArray[np.bool_] = ~(np.isnan(one) | np.isnan(other))
        return found

    def differences(self, column: str) -> NDArray[np.float64]:
        """Second minus first score ``[regions]``, 0 for a rounding's difference."""
        from metrics.bootstrap import without_rounding

        one, other = self.scores(column)
        return without_rounding(other - one)
