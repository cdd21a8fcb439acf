"""Many comparisons at once: how many of those called significant may be chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def benjamini_hochberg(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values adjusted so that those up to q are significant at a false discovery rate of q.

    Among the comparisons whose adjusted value is at most 0.05, at most 5 % are expected to be
    chance (Benjamini & Hochberg, "Controlling the False Discovery Rate", J. R. Statist. Soc. B
    57(1), 1995; it holds for independent and for positively dependent comparisons).

    Args:
        p_values: ``[comparisons]``, in any order, without NaN.
    """
    count = len(p_values)
    order = np.argsort(-p_values, kind="stable")
    by_rank = p_values[order] * count / np.arange(count, 0, -1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(by_rank), 1.0)
    return adjusted
