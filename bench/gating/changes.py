"""What an update changes in a baseline."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bench.config import GateSpec
from bench.gating.checks import Kind
from bench.gating.contents import Baseline
from bench.gating.entries import Entry
from bench.gating.quality import gated_scores
from bench.gating.speeds import Place, Speed, point_names
from bench.score_tables import Drawn, paired

_DIGITS = 12  # of a digest, for people


class Happened(StrEnum):
    """What became of a number."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """A score, or the median seconds of a speed, before and after.

    ``difference`` is after minus before with its 95 % interval where both are of the same regions;
    of seconds it is a share of those before. ``note`` says why there is none.
    """

    kind: Kind
    subject: str
    name: str
    happened: Happened
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""


def updated(
    old: Baseline, entries: Iterable[Entry], speeds: Mapping[Place, Speed], gate: GateSpec
) -> Baseline:
    """The baseline with these entries and measured speeds in the place of earlier ones.

    Resamples are kept of what is gated.
    """
    new = {entry.pair: _kept(entry, gate) for entry in entries}
    timed = {place: speed for place, speed in speeds.items() if speed.p50 is not None}
    return Baseline({**old.entries, **new}, {**old.speeds, **timed})


def only(
    baseline: Baseline, pairs: Collection[tuple[str, str]], places: Collection[Place]
) -> Baseline:
    """The baseline without any other entries and speeds."""
    return Baseline(
        {pair: entry for pair, entry in baseline.entries.items() if pair in pairs},
        {place: speed for place, speed in baseline.speeds.items() if place in places},
    )


def changes(old: Baseline, new: Baseline) -> Iterator[Change]:
    """Every number in which two baselines differ, in the file's order.

    An entry that is new, gone, or of other regions than before is told by its main score alone.
    """
    for pair in sorted({*old.entries, *new.entries}):
        yield from _changes(old.entries.get(pair), new.entries.get(pair))
    places = sorted({*old.speeds, *new.speeds})
    names = point_names(place.question for place in places)
    for place in places:
        name = f"{names[place.question]}, {place.hardware}"
        change = _speed_change(place, name, old.speeds.get(place), new.speeds.get(place))
        if change is not None:
            yield change


def other_origins(old: Baseline, new: Baseline) -> Iterator[str]:
    """What else is not as before of the entries that both have, in words."""
    for pair in sorted(old.entries.keys() & new.entries.keys()):
        before, after = old.entries[pair], new.entries[pair]
        facts = {
            "suite": (before.table.suite_version, after.table.suite_version),
            "images": (str(before.table.images), str(after.table.images)),
            "checkpoint": (_short(before.checkpoint_digest), _short(after.checkpoint_digest)),
            "encoder": (_short(before.table.encoder_digest), _short(after.table.encoder_digest)),
            "commit": (before.commit or "none", after.commit or "none"),
        }
        told = [f"{what} {one} -> {other}" for what, (one, other) in facts.items() if one != other]
        if told:
            yield f"{after.name}: {', '.join(told)}"


def left_out(old: Baseline, speeds: Mapping[Place, Speed]) -> Iterator[str]:
    """What was timed but does not become the baseline, why, and how to go on, in words."""
    names = point_names(place.question for place in speeds)
    for place, speed in sorted(speeds.items()):
        if speed.command:
            kept = "keeps an earlier speed" if place in old.speeds else "has no speed"
            yield (
                f"{place.question.model}: {names[place.question]}, {place.hardware} is left out: "
                f"{speed.reason}; the baseline {kept} of it. `{speed.command}` "
                "on that hardware times it anew"
            )


def _short(digest: str) -> str:
    return digest[:_DIGITS]


def _kept(entry: Entry, gate: GateSpec) -> Entry:
    kept = {gated.key for gated in gated_scores(gate, entry.table)}
    scores = {
        key: drawn if key in kept and drawn.draws is not None else Drawn(drawn.score, None, "")
        for key, drawn in entry.table.scores.items()
    }
    return replace(entry, table=replace(entry.table, scores=scores), command="")


def _changes(old: Entry | None, new: Entry | None) -> Iterator[Change]:
    named = new or old
    assert named is not None
    whole = old is not None and new is not None
    unlike = old.unlike(new) if old is not None and new is not None else ""
    before, after = ({} if e is None else e.table.scores for e in (old, new))
    main = named.table.main_metric, named.table.protocol
    for key in sorted({*before, *after}) if whole and not unlike else [main]:
        change = _score_change(named.name, before.get(key), after.get(key), unlike)
        if change is not None:
            own = key[1] == named.table.protocol
            yield change if own else replace(change, name=f"{key[0]} ({key[1]})")


def _score_change(subject: str, old: Drawn | None, new: Drawn | None, unlike: str) -> Change | None:
    before, after = (None if d is None else d.score.value for d in (old, new))
    found = new or old
    if found is None:
        return None
    if old is None or new is None:
        happened = Happened.ADDED if old is None else Happened.REMOVED
        return Change(Kind.QUALITY, subject, found.score.metric, happened, before, after)
    if before == after and not unlike:
        return None
    change = Change(Kind.QUALITY, subject, new.score.metric, Happened.CHANGED, before, after)
    if unlike:
        return replace(change, note=unlike)
    pair = paired(old, new)
    return replace(change, difference=pair.difference, low=pair.low, high=pair.high)


def _speed_change(place: Place, name: str, old: Speed | None, new: Speed | None) -> Change | None:
    before, after = (None if s is None else s.p50 for s in (old, new))
    if before == after:
        return None
    subject = place.question.model
    if before is None or after is None:
        happened = Happened.ADDED if before is None else Happened.REMOVED
        return Change(Kind.SPEED, subject, name, happened, before, after)
    share = after / before - 1
    return Change(Kind.SPEED, subject, name, Happened.CHANGED, before, after, share)
