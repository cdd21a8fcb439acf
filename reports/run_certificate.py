"""A run's certificate as its page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reports.certified import Standing
from reports.records import Run

_MEANING = {
    Standing.PASSED: (
        "The adapter gave the same numbers as the official code on its fixtures, with the "
        "packages that this run used."
    ),
    Standing.OTHER_VERSIONS: (
        "The adapter gave the same numbers as the official code on its fixtures, but with other "
        "versions of its packages than this run's."
    ),
    Standing.FAILED: "The adapter did not give the numbers of the official code on its fixtures.",
    Standing.NONE: ("This adapter was not compared with the official code before the run."),
}


class Certificate(NamedTuple):
    """What it means, and its facts by name."""

    standing: str
    meaning: str
    facts: tuple[tuple[str, str], ...]


def certificate(run: Run, manifest: Mapping[str, object]) -> Certificate:
    """The certificate that the run's last session carried."""
    facts = tuple((name, value) for name, value in _facts(run, _record(manifest)) if value)
    return Certificate(run.certified.value or "none", _MEANING[run.certified], facts)


def _facts(run: Run, record: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if run.certified is Standing.NONE:
        return
    difference, tolerance = run.certified_difference, run.certified_tolerance
    yield "Worst stage", run.certified_stage
    yield "Worst difference", "another shape" if difference is None else f"{difference:.3g}"
    yield "Allowed", "" if tolerance is None else f"{tolerance:.3g}"
    yield "Compared on", run.certificate.day
    versions = record.get("versions")
    if isinstance(versions, Mapping):
        yield "With", ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    yield "Fixtures", str(record.get("fixture_digest") or "")[:12]


def _record(manifest: Mapping[str, object]) -> Mapping[str, object]:
    sessions = manifest.get("sessions")
    if not isinstance(sessions, Sequence) or not sessions or not isinstance(sessions[-1], Mapping):
        return {}
    found = sessions[-1].get("certificate")
    return found if isinstance(found, Mapping) else {}
