"""Efficiency records as the frames of their report."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.efficiency.records import CostRecord, Record, SpeedRecord, hardware_name
from bench.efficiency.storing import records_by_sweep
from bench.errors import StoreError
from bench.output import warn

if TYPE_CHECKING:
    import pandas as pd


class EfficiencyFrames(NamedTuple):
    """Points of all stored sweeps, with ``reports.frames``' columns."""

    costs: pd.DataFrame
    speeds: pd.DataFrame


def efficiency_frames(folder: Path) -> EfficiencyFrames:
    """The records below ``folder``, whose sub-folders are the sweeps.

    One that cannot be read is left out with a warning: all others can be shown without it.
    """
    import pandas as pd

    from reports.frames import COST_COLUMNS, SPEED_COLUMNS

    costs: list[dict[str, object]] = []
    speeds: list[dict[str, object]] = []
    for sweep, record in records_by_sweep(folder, skip=_left_out):
        if isinstance(record, CostRecord):
            costs.append(_point(sweep, record) | _cost(record))
        else:
            speeds.append(_point(sweep, record) | _speed(record))
    return EfficiencyFrames(
        pd.DataFrame(costs, columns=list(COST_COLUMNS), dtype=object),
        pd.DataFrame(speeds, columns=list(SPEED_COLUMNS), dtype=object),
    )


def _left_out(error: StoreError) -> None:
    warn(f"left out of the report: {error}")


def _point(sweep: str, record: Record) -> dict[str, object]:
    subject, geometry = record.subject, record.geometry
    settings = ", ".join(f"{name}={value}" for name, value in sorted(subject.settings.items()))
    return {
        "sweep": sweep,
        **subject.model_dump(exclude={"settings"}),
        "settings": settings,
        **geometry.model_dump(),
        "way": record.way,
        "mode": record.mode,
        "instances": record.instances,
        "tokens": record.tokens,
    }


def _cost(record: CostRecord) -> dict[str, object]:
    results = {"vision_flops", "prefill_flops", "decode_flops", "kv_cache_bytes"}
    return record.model_dump(include=results | {"outcome", "reason"})


def _speed(record: SpeedRecord) -> dict[str, object]:
    audits, device = record.audits, record.device_seconds
    plain = record.model_dump(exclude={"rounds", "device_seconds", "audits", "hardware", "code"})
    return plain | {
        "queries": sum(len(seconds) for seconds in record.rounds),
        "device_seconds_p50": device and statistics.median(s for part in device for s in part),
        "outputs_equal": audits and audits.outputs_equal,
        "repeat_ratio": audits and audits.repeat_ratio,
        "repeat_ok": audits and audits.repeat_ok,
        "repeatable": audits and audits.repeatable,
        "hardware": _hardware(record),
        "interleaved": "; ".join(record.interleaved),
        "foreign_processes": "; ".join(record.foreign_processes),
        "warnings": "; ".join(record.warnings),
        "commit": record.code.commit,
    }


def _hardware(record: SpeedRecord) -> str:
    """What must be the same for two speeds to be compared: on processors, the threads too."""
    name = hardware_name(record.hardware)
    if record.hardware.accelerator:
        return name
    return f"{name}, {record.threads} {'thread' if record.threads == 1 else 'threads'}"
