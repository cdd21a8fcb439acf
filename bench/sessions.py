"""One process's work on a run, noted in the manifest from its start to however it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench import provenance
from bench.engine import Tally
from bench.manifest import CertificateRecord, Manifest, ScoringRecord, SessionRecord
from bench.store import RunWriter, StoredRun


def continued(run: StoredRun, fresh: Manifest) -> tuple[Manifest, bool]:
    """The manifest a new session goes on with, and whether its scores are to be kept.

    A session over fewer images than the run already covers leaves manifest and scores alone.
    """
    if not run.exists:
        return fresh, True
    stored = run.manifest()
    if fresh.selection.images < stored.selection.images:
        return stored, False
    update = {"selection": fresh.selection, "command": fresh.command}
    return stored.model_copy(update=update), True


def dated_as_before(manifest: Manifest, earlier: Mapping[str, ScoringRecord]) -> Manifest:
    """The manifest, its latest scoring with an earlier date if it was the latest then, too.

    One that was not stays dated anew: the latest scoring is the one that is shown.
    """
    latest, before = _latest(manifest.scorings), _latest(earlier)
    if latest != before or not latest:
        return manifest
    new, old = manifest.scorings[latest], earlier[latest]
    dated = new.model_copy(update={"scored": old.scored, "seconds": old.seconds})
    if dated != old:
        return manifest
    return manifest.model_copy(update={"scorings": {**manifest.scorings, latest: old}})


def _latest(scorings: Mapping[str, ScoringRecord]) -> str:
    return max(scorings, key=lambda key: (scorings[key].scored, key), default="")


@contextmanager
def session(
    writer: RunWriter,
    manifest: Manifest,
    device: str,
    certificate: CertificateRecord | None = None,
) -> Iterator[Tally]:
    """Record a session; the block fills in the tally it is given.

    The manifest says ``running`` until the block ends, and goes on saying so after a kill.
    """
    tally = Tally()
    begun = time.monotonic()
    record = SessionRecord(
        started=provenance.now(),
        device=device,
        hardware=provenance.hardware(device),
        code=provenance.code(),
        certificate=certificate,
    )

    def write(outcome: str, ended: str | None) -> None:
        update = {
            "outcome": outcome,
            "ended": ended,
            "seconds": round(time.monotonic() - begun, 3),
            "images_asked": tally.images_asked,
            "regions_asked": tally.regions_asked,
            "warnings": tuple(tally.warnings),
        }
        sessions = (*manifest.sessions, record.model_copy(update=update))
        writer.write_manifest(manifest.model_copy(update={"sessions": sessions}))

    write("running", None)
    outcome = "failed"
    try:
        yield tally
        outcome = "finished"
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    finally:
        write(outcome, provenance.now())
