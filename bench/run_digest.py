"""What a scored run is to the site: one digest, which pages and comparisons are made from."""

from __future__ import annotations

import hashlib

from bench.store import StoredRun
from bench.stored_scores import SUMMARY, StoredScores


def run_digest(run: StoredRun, stored: StoredScores) -> str:
    """Digest of the run's manifest and scores.

    The manifest notes when every scoring was made and of how many parts: no answer or score
    changes without it.
    """
    digest = hashlib.sha256()
    for path in (run.manifest_path, stored.folder / SUMMARY):
        digest.update(path.read_bytes())
    return digest.hexdigest()
