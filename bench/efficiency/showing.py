"""A sweep's records as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from bench.efficiency.records import CostRecord, Record, SpeedRecord, comparable

Row = tuple[object, ...]

DOUBT = "†"  # behind the speeds of points whose audits failed

COST_COLUMNS = (
    "model",
    "tiles",
    "way",
    "regions",
    "GFLOP",
    "vision",
    "prefill",
    "decode",
    "against 1 region",
    "KV cache MB",
)
SPEED_COLUMNS = (
    "model",
    "tiles",
    "way",
    "decoding",
    "regions",
    "regions/s",
    "p50 ms [95 %]",
    "p90 ms",
    "against 1 region",
    "tokens a region",
    "peak MB",
)


def cost_rows(records: Sequence[Record]) -> list[Row]:
    """Computed costs, each also relative to one region of the same model asked the same way."""
    costs = [record for record in records if isinstance(record, CostRecord)]
    ones = {_curve(record): record.flops for record in costs if record.instances == 1}
    return [_cost_row(record, ones.get(_curve(record))) for record in costs]


def speed_rows(records: Sequence[Record]) -> list[Row]:
    """Measured speeds, or why there are none."""
    speeds = [record for record in records if isinstance(record, SpeedRecord)]
    ones = {_curve(record): record for record in speeds if record.instances == 1}
    return [_speed_row(record, ones.get(_curve(record))) for record in speeds]


def is_doubtful(record: Record) -> bool:
    """Whether a speed's audit failed."""
    audits = record.audits if isinstance(record, SpeedRecord) else None
    return audits is not None and not audits.passed


def _cost_row(record: CostRecord, one: int | None) -> Row:
    point = (record.subject.model, record.geometry.tiles, record.way, record.instances)
    if record.flops is None:
        return (*point, record.outcome.replace("_", " "), "", "", "", "", "")
    parts = (record.flops, record.vision_flops, record.prefill_flops, record.decode_flops)
    return (
        *point,
        *(_number(part, 1e9) for part in parts),
        _times(record.flops, one),
        _number(record.kv_cache_bytes, 1e6),
    )


def _speed_row(record: SpeedRecord, one: SpeedRecord | None) -> Row:
    point = (
        record.subject.model,
        record.geometry.tiles,
        record.way,
        f"{record.decode} {record.tokens}",
        record.instances,
    )
    mark = f" {DOUBT}" if is_doubtful(record) else ""
    if record.seconds_p50 is None:
        return (*point, record.outcome.replace("_", " "), "", "", "", "", "")
    basis = one.seconds_p50 if one is not None and comparable(record, one) is None else None
    peak = record.peak_allocated_bytes or record.process_rss_bytes
    return (
        *point,
        _number(record.regions_per_second) + mark,
        f"{_ms(record.seconds_p50)}{mark} [{_ms(record.seconds_low)}, {_ms(record.seconds_high)}]",
        _ms(record.seconds_p90),
        _times(record.seconds_p50, basis),
        _number(record.tokens_per_region),
        "" if peak is None else f"{peak / 1e6:,.0f}",
    )


def _curve(record: Record) -> tuple[object, ...]:
    """What is equal at all numbers of regions of one curve."""
    decode = record.decode if isinstance(record, SpeedRecord) else ""
    return record.subject.model, record.geometry.tiles, record.way, decode


def _times(value: float, one: float | None) -> str:
    return f"{value / one:.2f}x" if one else ""


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:,.1f}"


def _number(value: float | None, unit: float = 1.0) -> str:
    return "" if value is None else f"{value / unit:,.1f}"
