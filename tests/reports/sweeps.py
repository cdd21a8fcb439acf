"""Synthetic efficiency sweeps that look like real ones: for tests, and for looking at the page."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from reports.frames import COST_COLUMNS, SPEED_COLUMNS, Board
from tests.reports import boards, pages

INSTANCES = (1, 2, 4, 8, 16, 32)
GPU = "NVIDIA H100 80GB HBM3"


class Model(NamedTuple):
    """TFLOP of vision, of a region's prefill and of its decoding; what is shared is paid once."""

    name: str
    adapter: str
    parameters: int
    shared: float
    region: float
    mode: str = ""
    tiles: str = ""


MODELS = (
    Model("wow-seg", "wow-seg", 938_000_000, 8.1, 0.45, "shared-prefix", "12+1"),
    Model("wow-seg-cascade", "wow-seg", 938_000_000, 8.1, 0.62, "cascade", "12+1"),
    Model("pam-1.5b", "pam", 1_780_000_000, 1.9, 3.4),
    Model("pam-3b", "pam", 3_330_000_000, 2.2, 6.7),
    Model("osprey-7b", "osprey", 6_970_000_000, 9.6, 1.15),
    Model("dam-3b", "dam", 3_220_000_000, 0.3, 9.8),
)
TWO = MODELS[:2]
FEW = (1, 4, 32)


def costs(
    models: Sequence[Model] = MODELS,
    *,
    sweep: str = "sizes",
    instances: Sequence[int] = INSTANCES,
    ways: Sequence[str] = ("together", "alone"),
) -> pd.DataFrame:
    """Computed costs of ``models``."""
    rows = [
        _point(model, sweep, way, n)
        | {
            "outcome": "computed",
            "vision_flops": int(1e12 * model.shared * 0.55 * (1 if way == "together" else n)),
            "prefill_flops": int(1e12 * (model.shared * 0.45 * (1 if way == "together" else n))),
            "decode_flops": int(1e12 * model.region * n),
            "kv_cache_bytes": 2**20 * (48 + n * (3 if way == "together" else 0)),
        }
        for model in models
        for way in ways
        for n in instances
    ]
    return pd.DataFrame(rows, columns=list(COST_COLUMNS), dtype=object)


def speeds(
    models: Sequence[Model] = MODELS,
    *,
    sweep: str = "sizes",
    hardware: str = GPU,
    instances: Sequence[int] = INSTANCES,
    ways: Sequence[str] = ("together", "alone"),
    stops: Mapping[str, tuple[int, str]] | None = None,
    changed: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Speeds of ``models``; ``stops`` names the outcome from so many regions on, asked together."""
    rows = []
    for model in models:
        for way in ways:
            for n in instances:
                at, outcome = (stops or {}).get(model.name, (10**9, ""))
                told = outcome if way == "together" and n >= at else "measured"
                rows.append(_point(model, sweep, way, n) | _speed(model, way, n, hardware, told))
                rows[-1].update(changed or {})
    return pd.DataFrame(rows, columns=list(SPEED_COLUMNS), dtype=object)


def lacking(
    frame: pd.DataFrame, model: str, instances: Sequence[int], outcome: str = "out_of_memory"
) -> pd.DataFrame:
    """The same without the values of ``model`` asked together at these numbers of regions."""
    gone = (frame["model"] == model) & (frame["way"] == "together")
    gone &= frame["instances"].isin(instances)
    assert gone.sum() == len(instances)
    numbers = ["vision_flops", "prefill_flops", "decode_flops", "kv_cache_bytes", "seconds_p50"]
    return frame.assign(
        outcome=frame["outcome"].mask(gone, outcome),
        reason=frame["reason"].mask(gone, "the prompt exceeds the context"),
        **{name: frame[name].mask(gone, None) for name in numbers if name in frame},
    )


def scored(
    made: boards.Made, name: str = "tiny", *, hardware: str = GPU, **changed: Any
) -> pd.DataFrame:
    """Speeds of what a run's answers came from."""
    model = Model(name, "wow-seg", 1_284_352, 0.02, 0.001, "shared-prefix")
    own = {
        "checkpoint_digest": made.row["checkpoint_digest"],
        "settings": made.row["settings"],
        "random_weights": False,
    }
    return speeds([model], hardware=hardware, instances=FEW, changed=own | changed)


def board(
    costs: pd.DataFrame | None = None,
    speeds: pd.DataFrame | None = None,
    made: Sequence[boards.Made] = (),
) -> Board:
    """A board of runs and sweeps."""
    swept: dict[str, Any] = {"costs": costs, "speeds": speeds}
    given = {name: frame for name, frame in swept.items() if frame is not None}
    return dataclasses.replace(boards.board(list(made)), **given)


def small_costs(**options: Any) -> pd.DataFrame:
    """Computed costs of two models."""
    return costs(TWO, instances=FEW, **options)


def small_speeds(**options: Any) -> pd.DataFrame:
    """Speeds of two models."""
    return speeds(TWO, instances=FEW, **options)


def table(page: Path, ending: str) -> pages.Table:
    """The table of the efficiency page whose name ends so."""
    return next(table for name, table in pages.tables(page).items() if name.endswith(ending))


def crowded() -> Board:
    """Five models whose scores are close, with short and long names; one is far off."""
    skills = {"a": 0.9, "b": 0.9, "c": 0.905, "d": 0.895, "far": 0.7}
    made = [boards.run(name, images=40, skill=skill) for name, skill in skills.items()]
    names = ("tiny", "wow-seg", "a-name-that-is-rather-long-indeed", "x", "far")
    hardware = "A processor with a name of fifty letters at 2.80 GHz, 2 cores, 2 threads"
    timed = [scored(run, name, hardware=hardware) for name, run in zip(names, made, strict=True)]
    short = [Model("ab", "dam", 1, 2.2, 1.1), Model("cd", "dam", 1, 1.2, 1.1)]
    return board(costs(short), pd.concat(timed, ignore_index=True), made)


def demo() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Costs and speeds on two machines; one model runs out of memory on the second."""
    small = speeds(
        MODELS[:3],
        hardware="Example CPU, 2 cores, 2 threads",
        instances=(1, 4, 16),
        stops={"pam-1.5b": (16, "out_of_memory")},
    )
    gpu = speeds(stops={"osprey-7b": (32, "out_of_memory")})
    return costs(), pd.concat([gpu, small], ignore_index=True)


def _point(model: Model, sweep: str, way: str, n: int) -> dict[str, Any]:
    digest = hashlib.sha256(model.name.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "sweep": sweep,
        "model": model.name,
        "adapter": model.adapter,
        "revision": 1,
        "checkpoint": f"preset:{model.adapter}",
        "checkpoint_digest": digest,
        "random_weights": True,
        "dtype": "bfloat16",
        "settings": f"multi_instance={model.mode}" if model.mode else "",
        "prompt": "What is it?",
        "parameters": model.parameters,
        "width": 640,
        "height": 480,
        "tiles": model.tiles,
        "region_tokens": 27 if model.tiles else None,
        "way": way,
        "mode": model.mode if way == "together" else "",
        "instances": n,
        "tokens": 32,
    }


def _speed(model: Model, way: str, n: int, hardware: str, outcome: str) -> dict[str, Any]:
    told = {
        "decode": "forced",
        "effort": "full",
        "outcome": outcome,
        "reason": None if outcome == "measured" else "72.1 GiB were not enough",
        "hardware": hardware,
        "device": "cuda:0" if "NVIDIA" in hardware else "cpu",
        "driver": "580.65",
        "attention": "sdpa",
        "threads": 8,
        "started": "2026-06-01T12:00:00Z",
        "commit": "9f2c1e7a0d5b4c3f8e6a",
        "foreign_processes": "",
        "warnings": "",
    }
    if outcome != "measured":
        return told
    slow = 1.0 if "NVIDIA" in hardware else 260.0
    one = 0.35 + 0.031 * model.shared
    each = 0.012 * model.region + 0.004
    seconds = slow * (one + each * n if way == "together" else (one + each) * n)
    return told | {
        "queries": 150,
        "seconds_p50": seconds,
        "seconds_p90": seconds * 1.09,
        "seconds_p99": seconds * 1.2,
        "seconds_low": seconds * 0.994,
        "seconds_high": seconds * 1.007,
        "device_seconds_p50": seconds * 0.91,
        "images_per_second": 1 / seconds,
        "regions_per_second": n / seconds,
        "load_seconds": 6.2,
        "first_query_seconds": seconds * 3,
        "stable": True,
        "tokens_per_region": 32.0,
        "peak_allocated_bytes": 2**30 * 4 + 2**24 * n,
        "peak_reserved_bytes": 2**30 * 5 + 2**24 * n,
        "process_rss_bytes": 2**30 * 3,
        "energy_joules": seconds * 480,
        "outputs_equal": True,
        "repeat_ratio": 0.997,
        "repeat_ok": True,
        "load_average": 1.2,
    }
