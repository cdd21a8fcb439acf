"""The baseline file: JSON that is sorted, stable, and readable in a diff.

A score stands on one line of its own; the resamples that make a comparison a paired one stand at
the end of their entry. No date and no host's name is in it; of speeds, it holds median seconds and
the name of the hardware. Every entry carries a digest of its contents, so that a number changed by
hand, or by a merge, is found out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.atomic import write_bytes
from bench.config import Name
from bench.errors import StoreError
from bench.gating.contents import Baseline
from bench.gating.entries import Entry
from bench.gating.readable_json import readable
from bench.gating.resamples import pack, unpack
from bench.gating.speeds import Place, Question, Speed
from bench.identity import digest
from bench.score_tables import Drawn, ScoreTable
from suites.base import Counts, Score

SCHEMA_VERSION = 1
_MEND = (
    "take the file from git again, or delete it and write it anew by `bench baseline update RUN`"
)

Named = TypeVar("Named")
Thing = TypeVar("Thing")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _Counts(_Record):
    expected: int
    answered: int
    empty: int
    unanswerable: int
    errored: int
    missing: int


class _Score(_Record):
    metric: str
    protocol: str
    value: float | None
    low: float | None
    high: float | None
    count: int


class _Resamples(_Record):
    metric: str
    protocol: str
    sample: str
    draws: str


class _Entry(_Record):
    suite: Name
    model: Name
    run: str
    suite_kind: str
    suite_name: str
    suite_version: str
    suite_digest: str
    protocol: str
    main_metric: str
    encoder_digest: str
    images: int
    counts: _Counts
    checkpoint_digest: str
    commit: str
    scores: list[_Score]
    digest: str
    resamples: list[_Resamples]


class _Speed(_Record):
    model: Name
    instances: int
    way: str
    decode: str
    tokens: int
    effort: str
    seconds_p50: float
    seconds_low: float | None
    seconds_high: float | None
    hardware: str
    adapter: str
    random_weights: bool
    settings: str
    mode: str
    dtype: str
    picture: str
    tiles: str
    protocol: str
    digest: str


class _File(_Record):
    schema_version: int
    entries: list[_Entry]
    speeds: list[_Speed]


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write the file in the place of an earlier one.

    Raises:
        StoreError: it cannot be written, or an entry cannot be kept.
    """
    write_bytes(path, encode(baseline).encode("utf-8"))


def encode(baseline: Baseline) -> str:
    """The file's text; equal baselines give equal texts.

    Raises:
        StoreError: a name or a score cannot be kept in the file.
    """
    entries = [_entry_values(entry) for _, entry in sorted(baseline.entries.items())]
    speeds = sorted((_speed_values(speed) for speed in baseline.speeds.values()), key=_speed_order)
    values = {"schema_version": SCHEMA_VERSION, "entries": entries, "speeds": speeds}
    return readable(values) + "\n"


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        StoreError: there is none, or it is damaged, changed by hand, or of another version; the
            message says how to mend it.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError as error:
        raise StoreError(
            f"there is no baseline {path}; `bench baseline update RUN` writes it, --baseline names "
            "another file"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"baseline {path} cannot be read ({error}); {_MEND}") from error
    _refuse_other_version(path, values)
    try:
        file = _File.model_validate(values)
        entries = _once((entry.pair, entry) for entry in map(_entry, file.entries))
        speeds = _once((speed.place, speed) for speed in map(_speed, file.speeds))
    except ValidationError as error:
        raise StoreError(f"baseline {path}: {_explain(error)}; {_MEND}") from error
    except ValueError as error:
        raise StoreError(f"baseline {path}: {error}; {_MEND}") from error
    return Baseline(entries, speeds)


def _explain(error: ValidationError) -> str:
    """The first problem, without anything of the file but the names of known fields."""
    problem = error.errors(include_url=False, include_input=False)[0]
    location = list(problem["loc"])
    if problem["type"] == "extra_forbidden":
        location.pop()
    where = ".".join(str(part) for part in location)
    return f"`{where}`: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no score")


def _refuse_other_version(path: Path, values: Any) -> None:
    version = values.get("schema_version") if isinstance(values, dict) else None
    if not isinstance(version, int):
        raise StoreError(f"{path} has no schema_version; it is no baseline file")
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"baseline {path} has schema_version {version}, this regionbench reads "
            f"{SCHEMA_VERSION}; install the version it was written for, or delete it and write it "
            "anew by `bench baseline update RUN`"
        )


def _once(items: Iterable[tuple[Named, Thing]]) -> dict[Named, Thing]:
    found: dict[Named, Thing] = {}
    for name, thing in items:
        if name in found:
            raise ValueError("an entry or a speed stands in it twice; keep one")
        found[name] = thing
    return found


def _entry_values(entry: Entry) -> dict[str, Any]:
    table = entry.table
    drawn = [found for _, found in sorted(table.scores.items())]
    try:
        values = _Entry(
            suite=table.called,
            model=table.model,
            run=table.run,
            suite_kind=entry.kind,
            suite_name=table.suite,
            suite_version=table.suite_version,
            suite_digest=table.suite_digest,
            protocol=table.protocol,
            main_metric=table.main_metric,
            encoder_digest=table.encoder_digest,
            images=table.images,
            counts=_Counts(**asdict(table.counts)),
            checkpoint_digest=entry.checkpoint_digest,
            commit=entry.commit,
            scores=[_Score(**asdict(found.score)) for found in drawn],
            digest="",
            resamples=[
                _Resamples(
                    metric=found.score.metric,
                    protocol=found.score.protocol,
                    sample=found.sample,
                    draws=pack(found.draws),
                )
                for found in drawn
                if found.draws is not None
            ],
        ).model_dump()
    except ValueError as error:
        raise StoreError(f"{entry.name} cannot be kept in a baseline file: {error}") from error
    return values | {"digest": _signature(values)}


def _signature(values: Mapping[str, Any]) -> str:
    """Digest of everything in an entry or a speed but itself."""
    return digest({name: value for name, value in values.items() if name != "digest"})


def _entry(stored: _Entry) -> Entry:
    what = f"the entry of {stored.model} on {stored.suite}"
    _check_signature(stored, what)
    drawn = {(r.metric, r.protocol): r for r in stored.resamples}
    scores: dict[tuple[str, str], Drawn] = {}
    for row in stored.scores:
        key = row.metric, row.protocol
        kept = drawn.pop(key, None)
        draws, sample = (None, "") if kept is None else (unpack(kept.draws), kept.sample)
        scores[key] = Drawn(Score(**row.model_dump()), draws, sample)
    if drawn or len(scores) != len(stored.scores):
        raise ValueError(f"{what} does not hold every score once")
    table = ScoreTable(
        run=stored.run,
        model=stored.model,
        suite=stored.suite_name,
        called=stored.suite,
        suite_version=stored.suite_version,
        suite_digest=stored.suite_digest,
        protocol=stored.protocol,
        main_metric=stored.main_metric,
        encoder_digest=stored.encoder_digest,
        images=stored.images,
        counts=Counts(**stored.counts.model_dump()),
        scores=scores,
    )
    return Entry(table, stored.suite_kind, stored.checkpoint_digest, stored.commit)


def _check_signature(stored: _Entry | _Speed, what: str) -> None:
    if _signature(stored.model_dump()) != stored.digest:
        raise ValueError(f"{what} was changed after it was written: its digest is another")


def _speed_values(speed: Speed) -> dict[str, Any]:
    known = {
        **speed.place.question._asdict(),
        "hardware": speed.place.hardware,
        "seconds_p50": speed.p50,
        "seconds_low": speed.low,
        "seconds_high": speed.high,
        "digest": "",
    }
    try:
        values = _Speed.model_validate(known).model_dump()
    except ValueError as error:
        what = f"the speed of {speed.place.question.model}"
        raise StoreError(f"{what} cannot be kept in a baseline file: {error}") from error
    return values | {"digest": _signature(values)}


def _speed_order(values: dict[str, Any]) -> tuple[str, ...]:
    """Numbers by size, texts by the alphabet."""
    return tuple(f"{v:012}" if isinstance(v, int) else str(v) for v in values.values())


def _speed(stored: _Speed) -> Speed:
    values = stored.model_dump()
    _check_signature(stored, f"the speed of {stored.model} at {stored.instances}")
    question = Question(**{name: values[name] for name in Question._fields})
    place = Place(question, stored.hardware)
    return Speed(place, stored.seconds_p50, stored.seconds_low, stored.seconds_high)
