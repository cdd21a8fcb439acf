"""Resampled scores as short texts, and scores rounded to what such a text can hold."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.score_tables import Drawn, ScoreTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DECIMALS = 6
_UNITS = 10**DECIMALS
_MISSING = -(2**31)  # a resample without the score
_LARGEST = 2**31 - 1
_MOST_BYTES = 4 * 1_000_000  # a text that unpacks to more is no list of resamples


def rounded(table: ScoreTable) -> ScoreTable:
    """The table to :data:`DECIMALS`, as a baseline file holds it.

    Both sides of a gate are rounded, so that a run and its baseline file are the same. Scores that
    an encoder's rounding sets apart may then differ by one in the last decimal, which is alike
    still (:data:`metrics.bootstrap.ALIKE`).
    """
    scores = {key: _rounded(drawn) for key, drawn in table.scores.items()}
    return replace(table, scores=scores)


def pack(draws: NDArray[np.float64]) -> str:
    """Draws ``[resamples]`` as base64 of zlib of little-endian int32 in units of 1e-6.

    Raises:
        ValueError: a score is too large for that.
    """
    import numpy as np

    units = np.where(np.isnan(draws), _MISSING, np.rint(draws * _UNITS))
    if np.any(np.abs(units[~np.isnan(draws)]) > _LARGEST):
        raise ValueError(f"a resampled score is beyond {_LARGEST / _UNITS:g}")
    return base64.b64encode(zlib.compress(units.astype("<i4").tobytes(), 9)).decode("ascii")


def unpack(text: str) -> NDArray[np.float64]:
    """The draws of :func:`pack`.

    Raises:
        ValueError: the text is damaged.
    """
    import numpy as np

    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
    except (binascii.Error, zlib.error, UnicodeError) as error:
        raise ValueError(f"the resamples are damaged ({error})") from error
    if not inflater.eof or inflater.unused_data or len(raw) % 4:
        raise ValueError("the resamples are damaged (not a whole list)")
    units = np.frombuffer(raw, dtype="<i4")
    return np.where(units == _MISSING, np.nan, units / _UNITS)


def _rounded(drawn: Drawn) -> Drawn:
    import numpy as np

    score = drawn.score
    near = replace(
        score,
        value=_near(score.value),
        low=_near(score.low),
        high=_near(score.high),
    )
    draws = None
    if drawn.draws is not None and not np.isnan(drawn.draws).all():
        draws = np.rint(drawn.draws * _UNITS) / _UNITS
    return Drawn(near, draws, drawn.sample)


def _near(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
