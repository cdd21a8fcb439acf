"""What a scored run is to the site: one digest, which pages and comparisons are made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bench.identity import digest
from bench.store import StoredRun
from bench.stored_scores import SUMMARY, StoredScores


def run_digest(run: StoredRun, stored: StoredScores) -> str:
    """Digest of the run's manifest and scores, but for what no answer or score depends on.

    The manifest notes when every scoring was made and of how many parts: no answer or score
    changes without it. Left out are the command, and sessions that asked nothing. A run's page
    shows these, too; it is made anew by their time, which the run's row on the board adds up.
    """
    values = json.loads(run.manifest_path.read_bytes())
    del values["command"]
    values["sessions"] = [s for s in values["sessions"] if not _asked_nothing(s)]
    scores = hashlib.sha256((stored.folder / SUMMARY).read_bytes()).hexdigest()
    return digest([values, scores])


def _asked_nothing(session: Mapping[str, Any]) -> bool:
    asked = session["images_asked"] or session["regions_asked"]
    return session["outcome"] == "finished" and not asked
