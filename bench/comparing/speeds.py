"""How much faster the second run's model is, from efficiency records on equal hardware."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.efficiency.records import SpeedRecord, comparable, hardware_name
from bench.efficiency.storing import records_by_sweep
from bench.manifest import ModelRecord
from reports.compare_records import SpeedRow

_RESAMPLES = 1000


class Ratio(NamedTuple):
    """How many times faster the second is than the first, with its 95 % interval."""

    value: float
    low: float
    high: float


class _Swept(NamedTuple):
    sweep: str
    record: SpeedRecord


def speed_rows(folder: Path, first: ModelRecord, second: ModelRecord) -> tuple[list[SpeedRow], str]:
    """Speeds of both models at every number of regions, or why there are none.

    A model's records are those of its adapter, checkpoint and settings; where several pair, those
    of one sweep, and then the latest, are shown.

    Raises:
        StoreError: a record cannot be read.
    """
    swept = [
        _Swept(sweep, record)
        for sweep, record in records_by_sweep(folder)
        if isinstance(record, SpeedRecord)
    ]
    one, other = _of(first, swept), _of(second, swept)
    for model, found in ((first, one), (second, other)):
        if not found:
            return [], (
                f"no speed of {model.name} was measured; `bench efficiency` does that for models "
                "that a sweep of bench.yaml names: under `models`, and as "
                f"`sweeps: {{mine: {{models: {{{model.name}: {{}}}}}}}}`"
            )
    best: dict[tuple[object, ...], tuple[_Swept, _Swept]] = {}
    reasons: dict[str, None] = {}
    for a in one:
        for b in other:
            if _point(a.record) == _point(b.record):
                reason = comparable(a.record, b.record)
                if reason is not None:
                    reasons[reason] = None
                    continue
                key = (*_point(a.record), hardware_name(a.record.hardware), a.record.threads)
                best[key] = max(best.get(key, (a, b)), (a, b), key=_preferred)
    if not best:
        return [], next(iter(reasons), "the two were measured with different questions")
    rows = [_row(a.record, b.record) for a, b in best.values()]
    return sorted(rows, key=_order), ""


def speed_ratio(first: SpeedRecord, second: SpeedRecord) -> Ratio:
    """Median times of comparable points divided, with a bootstrap over the queries of each.

    See Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    import numpy as np

    from metrics.bootstrap import TAIL

    medians = []
    for seed, record in enumerate((first, second)):
        seconds = np.array([lap for laps in record.rounds for lap in laps])
        drawn = np.random.default_rng(seed).integers(len(seconds), size=(_RESAMPLES, len(seconds)))
        medians.append((np.median(seconds), np.median(seconds[drawn], axis=1)))
    (one, one_drawn), (other, other_drawn) = medians
    low, high = np.percentile(one_drawn / other_drawn, [TAIL, 100 - TAIL])
    return Ratio(float(one / other), float(low), float(high))


def _of(model: ModelRecord, swept: Sequence[_Swept]) -> list[_Swept]:
    """Records of what gave the run's answers; random weights answer nothing."""
    return [
        found
        for found in swept
        if not found.record.subject.random_weights
        and (found.record.subject.adapter, found.record.subject.checkpoint_digest)
        == (model.adapter, model.checkpoint_digest)
        and found.record.subject.settings == model.settings
    ]


def _point(record: SpeedRecord) -> tuple[object, ...]:
    """What was asked, as the table tells it."""
    geometry = record.geometry
    return (
        record.way,
        record.decode,
        record.tokens,
        (geometry.width, geometry.height),
        record.subject.dtype,
        record.instances,
    )


def _preferred(pair: tuple[_Swept, _Swept]) -> tuple[object, ...]:
    a, b = pair
    full = a.record.effort == b.record.effort == "full"
    return (
        a.sweep == b.sweep,
        full,
        min(a.record.started, b.record.started),
        a.sweep,
        a.record.key,
        b.record.key,
    )


def _row(first: SpeedRecord, second: SpeedRecord) -> SpeedRow:
    ratio = speed_ratio(first, second)
    return SpeedRow(
        instances=first.instances,
        way=first.way,
        decoding=f"{first.decode}, {first.tokens} tokens",
        picture=f"{first.geometry.width}×{first.geometry.height}",
        dtype=first.subject.dtype,
        hardware=hardware_name(first.hardware),
        first=first.regions_per_second or 0.0,
        second=second.regions_per_second or 0.0,
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
    )


def _order(row: SpeedRow) -> tuple[object, ...]:
    return (
        row.hardware,
        row.dtype,
        row.way != "together",
        row.decoding,
        row.picture,
        row.instances,
    )
