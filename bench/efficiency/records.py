"""One point of a sweep as it is stored: a computed cost, or a measured speed.

Costs are the same on every machine and hold neither times nor hosts. Speeds hold everything that
they depend on; see :func:`comparable`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.interface import JsonScalar
from bench.errors import StoreError
from bench.manifest import CodeRecord, HardwareRecord

PROTOCOL = "instances-v1"
SCHEMA_VERSION = 2


def _with_outcome(values: dict[str, Any]) -> dict[str, Any]:
    """Before 2 a cost was always a computed one; a speed without a result said so already."""
    return ({"outcome": "computed"} if values.get("kind") == "cost" else {}) | values


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _with_outcome}
"""From a stored version to the next one; applied in turn until the current one is reached."""

Way = Literal["together", "alone"]
Decode = Literal["natural", "forced"]
Effort = Literal["quick", "full"]
CostOutcome = Literal["computed", "failed", "not_possible"]
Outcome = Literal["measured", "out_of_memory", "failed", "not_possible"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Record):
    """The model as its adapter described it; ``model`` is what the sweep calls it.

    ``prompt`` is what was asked about each region.
    """

    model: str
    adapter: str
    revision: int
    checkpoint: str
    checkpoint_digest: str
    random_weights: bool
    dtype: str
    settings: dict[str, JsonScalar]
    parameters: int
    prompt: str = ""


class Geometry(_Record):
    """The picture in pixels, and what the model makes of it.

    ``tiles`` is ``"12+1"`` for twelve and a thumbnail, ``"1"`` for one, and empty for models that
    cut no tiles. ``region_tokens`` is how many prompt positions each region was assumed to take,
    ``None`` where the masks of the pictures decide or a region takes a fixed number.
    """

    width: int
    height: int
    tiles: str
    region_tokens: int | None


class _Point(_Record):
    """What costs and speeds have in common.

    All regions of a picture are asked ``together`` in one query, or each ``alone`` in a query of
    its own; ``mode`` is the model's ``multi_instance`` setting, empty where it has none. Answers
    are ``tokens`` long, at most or exactly.
    """

    schema_version: int = SCHEMA_VERSION
    protocol: str = PROTOCOL
    subject: Subject
    geometry: Geometry
    way: Way
    mode: str
    instances: int
    tokens: int


class CostRecord(_Point):
    """Floating-point operations of one picture with its regions, at the model's true sizes.

    A multiplication with its addition counts as two operations. ``kv_cache_bytes`` is the most
    that keys and values take at any moment of the picture.

    Every result is ``None`` unless the outcome is ``computed``; ``reason`` says why.
    """

    kind: Literal["cost"] = "cost"
    outcome: CostOutcome
    reason: str | None = None
    vision_flops: int | None = None
    prefill_flops: int | None = None
    decode_flops: int | None = None
    parameters: int
    kv_cache_bytes: int | None = None

    @property
    def flops(self) -> int | None:
        """All operations of the picture."""
        parts = (self.vision_flops, self.prefill_flops, self.decode_flops)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def key(self) -> str:
        """Digest of what the cost depends on."""
        return _digest(self, _POINT)


class Audits(_Record):
    """Whether the timed queries did the work of ordinary ones.

    ``outputs_equal``: their answers are those of a plain call. ``repeat_ratio``: seconds of a
    picture asked again at once, relative to those of its first time; below 0.9 something was
    kept, and ``repeat_ok`` is false. ``repeatable``: its answers are then the same; ``None`` in
    records from before this was looked at.
    """

    outputs_equal: bool
    repeat_ratio: float
    repeat_ok: bool
    repeatable: bool | None = None

    @property
    def passed(self) -> bool:
        """Whether the timed queries did the work of ordinary ones."""
        return self.outputs_equal and self.repeat_ok


class SpeedRecord(_Point):
    """Seconds of one picture with its regions, end to end, or why there are none.

    ``rounds`` holds each query's wall time in seconds, from decoded image and masks to strings;
    ``device_seconds`` the same queries' time between two events of the accelerator. The
    percentiles are over all rounds, ``seconds_low`` and ``seconds_high`` the bootstrap interval
    of the median. ``load_seconds`` and ``first_query_seconds``, the point's first query, are not
    among them. ``stable``: the last two windows of the warm-up agreed. ``tokens_per_region`` is
    the mean number of generated tokens, ``energy_joules`` the accelerator's per query.

    ``interleaved`` names the other models whose queries took turns with these; it is empty where
    only the model's own points did. Their weights are left out of ``peak_allocated_bytes``, but
    not of ``peak_reserved_bytes`` and ``process_rss_bytes``.

    Every result is ``None`` unless the outcome is ``measured``; ``reason`` says why.
    """

    kind: Literal["speed"] = "speed"
    decode: Decode
    effort: Effort
    outcome: Outcome
    reason: str | None = None
    interleaved: tuple[str, ...] = ()
    rounds: tuple[tuple[float, ...], ...] = ()
    device_seconds: tuple[tuple[float, ...], ...] | None = None
    seconds_p50: float | None = None
    seconds_p90: float | None = None
    seconds_p99: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None
    images_per_second: float | None = None
    regions_per_second: float | None = None
    load_seconds: float | None = None
    first_query_seconds: float | None = None
    warm_up_queries: int = 0
    stable: bool = False
    tokens_per_region: float | None = None
    peak_allocated_bytes: int | None = None
    peak_reserved_bytes: int | None = None
    process_rss_bytes: int | None = None
    energy_joules: float | None = None
    audits: Audits | None = None
    device: str
    hardware: HardwareRecord
    driver: str | None
    attention: str
    threads: int
    load_average: float | None
    foreign_processes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    started: str
    code: CodeRecord

    @property
    def key(self) -> str:
        """Digest of what was asked and of the hardware, never of a result or a time."""
        told = [hardware_name(self.hardware)]
        if self.hardware.accelerator is None:
            told.append(f"{self.threads} threads")
        return _digest(self, _POINT | {"decode", "effort"}, *told)


Record = CostRecord | SpeedRecord

_POINT = frozenset(set(_Point.model_fields) - {"schema_version"} | {"kind"})
_ANY: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def hardware_name(hardware: HardwareRecord) -> str:
    """The accelerator, else the processor and how many of its cores there are."""
    return hardware.accelerator or f"{hardware.cpu}, {hardware.cores} cores"


def comparable(first: SpeedRecord, second: SpeedRecord) -> str | None:
    """Why two speeds must not be compared, ``None`` where they may.

    Speeds of different hardware, of other questions, and points without a speed are never laid
    side by side.
    """
    for record in (first, second):
        if record.outcome != "measured":
            return f"{record.subject.model} at {record.instances}: {record.outcome}"
    pairs = {
        "protocol": (first.protocol, second.protocol),
        "hardware": (hardware_name(first.hardware), hardware_name(second.hardware)),
        "picture": (_size(first.geometry), _size(second.geometry)),
        "decoding": (f"{first.decode} {first.tokens}", f"{second.decode} {second.tokens}"),
    }
    if first.hardware.accelerator is None:
        pairs["threads"] = (str(first.threads), str(second.threads))
    for what, (one, other) in pairs.items():
        if one != other:
            return f"another {what}: {one} and {other}"
    return None


def parse(values: Any, origin: str) -> Record:
    """A stored record, an older one brought up to date.

    Args:
        values: the JSON values.
        origin: the file, for messages.

    Raises:
        StoreError: no record, or one of a newer version of the project.
        ValidationError: a field is missing, unknown or unusable.
    """
    version = values.get("schema_version") if isinstance(values, dict) else None
    if not isinstance(version, int) or version < 1:
        raise StoreError(f"{origin} has no usable schema_version; it is no efficiency record")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{origin} has schema_version {version}, this regionbench reads up to "
            f"{SCHEMA_VERSION}; update regionbench to read it"
        )
    for step in range(version, SCHEMA_VERSION):
        values = MIGRATIONS[step](values)
    return _ANY.validate_python(values)


def _size(geometry: Geometry) -> str:
    return f"{geometry.width}x{geometry.height}"


def _digest(record: _Point, fields: frozenset[str], *more: str) -> str:
    told = record.model_dump(mode="json", include=set(fields))
    text = json.dumps([told, *more], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
